"""Networks of heads and steps: closed forms, errors known otherwise, symmetries."""

import numpy as np
import pytest
import sympy as sp

import detequiv as de
from detequiv.numerics.directions import directions_law
from detequiv.numerics.directions.trained import trained_states
from detequiv.theory.problem import DirectionsLaw
from detequiv.theory.problem.step import trained_groups

MIXED = "z1 + 2/5*z2 + 3/10*He(2, z1) + z1*z2 - 2/5*He(2, z2)"
STAIR = "z1 + z1*z2"
HEADS = [
    "3/10 + z1 + He(2, z1)/2 - He(2, z2)/4",
    "z1/5 + z2 + 4/5*z1*z2 + He(2, z2)/4",
]
THIRDS = ["3/10", "3/10", "2/5"]
# activation, readout, weights, eta, steps, what ridge fits, heads; excess error of the
# network, and of the pure spiked model of its strengths
CASES = {
    "A tanh": ("tanh", [1, -1], None, 2, 1, MIXED, None, 1.8771, 1.8876),
    "A relu": ("relu", [1, "-1/2", 2], THIRDS, 1.5, 1, MIXED, None, 1.3140, 1.3239),
    "B tanh": ("tanh", [[1, 0.5], [-0.7, 1]], None, 2, 1, MIXED, HEADS, 1.9496, 1.9586),
    "B relu": (
        "relu",
        [[1, 0], [-0.5, 0.8], [0, -1]],
        THIRDS,
        2,
        1,
        MIXED,
        HEADS,
        *(0.9146, 0.9710),
    ),
    "C tanh": ("tanh(z + 1)", [1, -1.5], None, 2, 2, STAIR, None, 0.9065, 0.8373),
    "C relu": ("relu", [1, "-1/2", 2], THIRDS, 1, 2, STAIR, None, 0.7675, 0.8321),
}
RIDGE = de.Ridge(samples_per_dim=3, width_per_dim=2, penalty="1/10")


def network(activation, readout, weights, step, steps, function, heads) -> de.Problem:
    """One of the cases."""
    return de.Problem(
        network=de.Network(
            activation=activation,
            readout=readout,
            weights=weights,
            step=step,
            steps=steps,
        ),
        target=de.Target(function=function, functions=heads, noise="3/10"),
        ridge=RIDGE,
    )


def pure(problem: de.Problem, law: DirectionsLaw) -> de.Problem:
    """Spiked features with the strengths and scales of a network."""
    return de.Problem(
        features=de.SpikedFeatures(
            activation=problem.network.activation,
            spike=law.spikes,
            bulk=law.bulks,
            weights=law.weights,
        ),
        target=de.Target(function=problem.target.function, noise="3/10"),
        ridge=RIDGE,
    )


@pytest.mark.parametrize("name", CASES)
def test_errors_of_an_independent_prototype(name: str) -> None:
    """Its numbers, by quadrature of another kind, have four decimals."""
    *case, trained, spiked = CASES[name]
    problem = network(*case)
    found = de.solve(problem)
    assert found.digits >= 12
    assert abs(float(found.excess_error) - trained) < 6e-5
    model = pure(problem, directions_law(problem))
    assert abs(float(de.solve(model).excess_error) - spiked) < 6e-5


@pytest.mark.parametrize("activation", ["tanh(z + 1)", "relu"])
@pytest.mark.parametrize("function", ["z + He(2, z)/2", "1/2 + z"])
def test_one_step_of_one_direction_has_closed_forms(activation, function) -> None:
    problem = network(activation, [1, "-1/2"], None, 2, 1, function, None)
    states = trained_states(problem)
    groups = trained_groups(problem.network, problem.target)
    for (s, ds, b, db), group in zip(states, groups, strict=True):
        (latent,) = group.latents
        known = [group.scale, latent[1], group.strength, latent[0] - group.scale]
        exact = [float(sp.N(v, 30)) for v in known]
        assert np.abs(np.array([s, ds, b, db]) - exact).max() < 1e-13


def differences(readout: list[float], rate: float, steps: int) -> np.ndarray:
    """States on the staircase of tanh(z + 1), derivatives by central differences.

    The map itself, on grids in z and g, with gradients of target and output.
    """
    places = np.arange(-9, 9.1, 0.25)
    weights = np.exp(-(places**2) / 2) * 0.25 / np.sqrt(2 * np.pi)
    z = np.stack(np.meshgrid(places, places, indexing="ij"), -1)
    mass = np.outer(weights, weights)
    small = 1e-4
    shifts = [np.zeros(2), *(s * e for e in small * np.eye(2) for s in (1, -1))]

    def smoothed(s: float, b: np.ndarray, omega: np.ndarray) -> list[np.ndarray]:
        std = abs(s) * np.sqrt(1 - omega @ omega)
        seen = np.tanh((z @ (s * omega + b))[..., None] + std * places + 1)
        slope = 1 - seen**2
        return [values @ weights for values in (seen, slope, -2 * seen * slope)]

    states = [[(1.0, np.zeros(2)) for _ in shifts] for _ in readout]
    for _ in range(steps):
        typical = [smoothed(*group[0], shifts[0]) for group in states]
        share = [a / len(readout) for a in readout]
        output = sum(a * d[0] for a, d in zip(share, typical, strict=True))
        missed = z[..., 0] * (1 + z[..., 1]) - output
        gradient = np.stack([1 + z[..., 1], z[..., 0]], -1) - sum(
            a * d[1][..., None] * group[0][1]
            for a, d, group in zip(share, typical, states, strict=True)
        )
        for a, group in zip(readout, states, strict=True):
            for i, omega in enumerate(shifts):
                s, b = group[i]
                _, first, second = smoothed(s, b, omega)
                alpha = rate * a * (mass * missed * second).sum()
                beta = rate * a * np.einsum("xy,xy,xyl->l", mass, first, gradient)
                group[i] = ((1 + alpha) * s, (1 + alpha) * b + beta)
    rows = []
    for (s, b), *moved in states:
        pairs = zip(moved[::2], moved[1::2], strict=True)
        slopes = [((p[0] - m[0]), (p[1] - m[1])) for p, m in pairs]
        ds = [d[0] / (2 * small) for d in slopes]
        db = np.array([d[1] / (2 * small) for d in slopes]).T
        rows.append([s, *ds, *b, *db.ravel()])
    return np.array(rows)


@pytest.mark.parametrize("steps", [1, 2])
def test_tangents_are_derivatives_of_the_map(steps: int) -> None:
    problem = network("tanh(z + 1)", [1, -1.5], None, 2, steps, STAIR, None)
    known = differences([1, -1.5], 2, steps)
    assert np.abs(trained_states(problem) - known).max() < 1e-6


@pytest.mark.parametrize("steps", [1, 3])
def test_the_states_do_not_depend_on_the_rule(steps: int) -> None:
    problem = network("tanh(z + 1)", [1, -1.5], None, 1, steps, STAIR, None)
    coarse, fine = trained_states(problem), trained_states(problem, 0.5, 2)
    assert np.abs(coarse - fine).max() < 1e-12


def test_two_steps_learn_the_second_step_of_a_staircase() -> None:
    """One sees z1 alone; the second has strengths along z2, other in each group."""
    one, two = (
        directions_law(network("relu", [1, "-1/2", 2], THIRDS, 1, k, STAIR, None))
        for k in (1, 2)
    )
    along = [
        np.array([[float(v) for v in u] for u in law.spikes]) for law in (one, two)
    ]
    assert np.abs(along[0][:, 1]).max() < 1e-14
    assert np.linalg.matrix_rank(along[1], tol=0.05) == 2


def test_a_step_of_zero_is_no_step() -> None:
    still = network("tanh", [1, -1], None, [0, 2], 2, STAIR, None)
    one = network("tanh", [1, -1], None, 2, 1, STAIR, None)
    assert np.abs(trained_states(still) - trained_states(one)).max() < 1e-14


def test_heads_are_one_head_with_one_vocabulary() -> None:
    """A head that nothing is read into changes nothing."""
    one = network("tanh", [1, -1], None, 2, 1, STAIR, [STAIR])
    two = network("tanh", [[1, 0], [-1, 0]], None, 2, 1, STAIR, [STAIR, "z2"])
    assert np.abs(trained_states(one) - trained_states(two)).max() < 1e-14


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"network.readout": [[1, 0], [0, 1]]}, "target.functions"),
        ({"target.functions": ["z1", "z2"]}, "target.functions"),
        ({"network.batch_per_dim": 5}, "network.batch_per_dim"),
        ({"network.rows": "gaussian"}, "network.rows"),
        ({"network.steps": 0}, "network.steps"),
        ({"network.step": [1, 2, 3]}, "network.step"),
    ],
)
def test_what_does_not_fit_is_refused(change, field: str) -> None:
    base = network("tanh", [1, -1], None, 2, 2, STAIR, None)
    with pytest.raises(de.InputError) as caught:
        base.with_values(change)
    assert caught.value.field == field

"""Models with numbers in them, against textbook formulas and the problem solver."""

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

from detequiv.numerics.solving.instance import solve_model
from detequiv.theory.derivation.derive import derive
from detequiv.theory.errors import InputError
from detequiv.theory.models.anisotropic import anisotropic_model
from detequiv.theory.models.potential import (
    Model,
    Unknowns,
    regression_quantities,
)
from detequiv.theory.models.ridge import ridge_model
from detequiv.theory.models.spiked import spiked_model

RIDGE = {"alpha": "3/2", "lambda": "1/10", "Delta": "1/4", "r": "6/5"}


def textbook(alpha: Any, ridge: Any, noise: Any, r: Any) -> tuple[Any, Any]:
    """Test error and trace of the resolvent, by the radical of Marchenko-Pastur."""
    gamma, x = 1 / alpha, -ridge / alpha

    def transform(x: Any) -> Any:
        root = mpmath.sqrt((1 - gamma - x) ** 2 - 4 * gamma * x)
        return (1 - gamma - x - root) / (2 * gamma * x)

    m, slope = transform(x), mpmath.diff(transform, x)
    return noise + noise * gamma * (m + x * slope) + r**2 * x**2 * slope, m / alpha


@pytest.mark.parametrize("digits", [15, 50])
@pytest.mark.parametrize("alpha", ["3/2", "1/5", 1, 40])
@pytest.mark.parametrize("penalty", ["1/10", "1e-6", 100])
def test_ridge_regression(alpha: Any, penalty: str, digits: int) -> None:
    values = RIDGE | {"alpha": alpha, "lambda": penalty}
    found = solve_model(ridge_model(), values, digits=digits)
    with mpmath.workdps(2 * digits + 40):
        numbers = [mpmath.mpf(mpmath.mpmathify(values[k])) for k in RIDGE]
        error, trace = textbook(*numbers)
        for name, exact in (
            ("generalization_error", error),
            ("excess_error", error - mpmath.mpf("0.25")),
            ("resolvent_trace", trace),
        ):
            assert abs(found.quantities[name] / exact - 1) < mpmath.mpf(10) ** -digits
    assert found.digits == digits
    assert found.residual < 10.0**-digits


def anisotropic(pi: list[str], s: list[Any], theta: list[Any]) -> dict[str, Any]:
    groups = {"pi": pi, "s": s, "theta": theta}
    named = {
        f"{name}_{q}": value
        for name, values in groups.items()
        for q, value in enumerate(values, start=1)
    }
    return {k: v for k, v in RIDGE.items() if k != "r"} | named


@pytest.mark.parametrize("digits", [15, 50])
def test_equal_eigenvalues_are_isotropic(digits: int) -> None:
    one = solve_model(ridge_model(), RIDGE, digits=digits)
    values = anisotropic(["1/3", "2/3"], [1, 1], ["18/25", "24/25"])
    two = solve_model(anisotropic_model(2), values, digits=digits)
    for name, value in one.quantities.items():
        assert two.text(name) == one.text(name)
        with mpmath.workdps(digits + 20):
            gap = abs(two.quantities[name] / value - 1)
        assert gap < mpmath.mpf(10) ** -digits


@pytest.mark.parametrize("digits", [15, 50])
def test_three_eigenvalues_by_the_effective_penalty(digits: int) -> None:
    """Hastie et al.: the effective penalty solves one equation, by bisection here."""
    pi, s, theta = ["1/5", "3/10", "1/2"], ["1/10", 2, 7], [1, "1/2", "3/10"]
    found = solve_model(anisotropic_model(3), anisotropic(pi, s, theta), digits=digits)
    with mpmath.workdps(digits + 20):
        p, x, t = (
            [mpmath.mpf(mpmath.mpmathify(v)) for v in row] for row in (pi, s, theta)
        )
        alpha, ridge, noise = mpmath.mpf("1.5"), mpmath.mpf("0.1"), mpmath.mpf("0.25")

        def mean(power: int, k: Any) -> Any:
            return sum(q * (v / (v + k)) ** power for q, v in zip(p, x, strict=True))

        k = mpmath.findroot(
            lambda k: alpha - ridge / k - mean(1, k), (0.01, 10), solver="anderson"
        )
        bias = sum(k**2 * a**2 * v / (v + k) ** 2 for a, v in zip(t, x, strict=True))
        error = (bias + noise) / (1 - mean(2, k) / alpha)
        gap = found.quantities["generalization_error"] / error - 1
        assert abs(gap) < mpmath.mpf(10) ** -digits


def test_names_of_the_parameters_are_checked() -> None:
    for values, words in (
        ({"r": 1}, "values.alpha"),
        (RIDGE | {"beta": 1}, "no such name"),
        (RIDGE | {"lambda": 0}, "must be positive"),
    ):
        with pytest.raises(InputError, match=words):
            solve_model(ridge_model(), values)
    with pytest.raises(InputError, match="digits"):
        solve_model(ridge_model(), RIDGE, digits=0)
    with pytest.raises(InputError, match="weights"):
        solve_model(ridge_model(), RIDGE, weights=[1, 1])


def test_a_discrete_law_of_kappa_against_the_generated_module() -> None:
    """Two groups and three nodes in kappa, by balls and by plain iteration."""
    rng = np.random.default_rng(1)
    groups, nodes = 2, 3
    model = spiked_model(groups)
    table = rng.uniform(0.2, 2, (len(model.fields), nodes))
    weights = rng.dirichlet(np.ones(nodes))
    numbers = {"alpha": 1.5, "beta": 0.75, "lambda": 0.25}
    shares = {"pi_1": 0.25, "pi_2": 0.75}
    found = solve_model(
        model,
        numbers | shares | {"Delta": 0.5},
        fields=[
            {
                symbol.name: value
                for symbol, value in zip(model.fields, column, strict=True)
            }
            for column in table.T.tolist()
        ],
        weights=weights.tolist(),
    )

    module: dict[str, Any] = {"__name__": "equations"}
    exec(derive(groups=groups).python(), module)
    c0, c1, cs, h = table[:-3].reshape(4, groups, nodes)
    fields = {"c0": c0, "c1": c1, "cs": cs, "h": h[None]}
    fields |= dict(zip(("tau0", "tau1", "tau2"), table[-3:], strict=True))
    arguments = fields, weights, *numbers.values(), np.array([*shares.values()])
    g, a = module["solve"](*arguments)
    for name, value in module["errors"](g, a, *arguments, 0.5).items():
        assert found.quantities[name] == pytest.approx(value, rel=1e-8), name


def elliptical_model() -> Model:
    """Ridge regression on elliptical data: ``x = s z``, s a function of kappa."""
    alpha, ridge, g, chi = sp.symbols("alpha lambda g chi", positive=True)
    source, b = sp.symbols("epsilon b", real=True)
    noise, s = sp.symbols("Delta s", nonnegative=True)
    return Model(
        unknowns=Unknowns(positive=(g,)),
        coefficients=(b,),
        parameters=(alpha, ridge, source, noise),
        fields=(s,),
        chi=chi,
        linear_form=s**2 * g,
        psi_local=ridge * g - sp.log(g),
        psi_average=alpha * sp.log(1 + chi) + source * chi,
        energy_local=ridge * b**2,
        energy_weight=alpha / (1 + chi) + source,
        energy_residuals=(s * (1 - b),),
        energy_rest=noise,
        ridge=ridge,
        source=source,
        start=(1 / ridge,),
        quantities=regression_quantities(alpha, ridge, noise, g),
    )


def test_kappa_may_have_two_components() -> None:
    """The scale of the data depends on two projections; by bisection, and moments."""
    grid = range(-2, 3)
    scales = [sp.Rational(6 + x * y, 4) for x in grid for y in grid]
    shares = [sp.Rational(1, 25)] * 25
    values = {"alpha": "3/2", "lambda": "1/10", "Delta": "1/4"}
    found = solve_model(
        elliptical_model(),
        values,
        fields=[{"s": s} for s in scales],
        weights=shares,
        digits=30,
    )
    with mpmath.workdps(60):
        squares = [mpmath.mpf(s.p) ** 2 / mpmath.mpf(s.q) ** 2 for s in scales]
        alpha, ridge, noise = mpmath.mpf("1.5"), mpmath.mpf("0.1"), mpmath.mpf("0.25")

        def trace(source: Any) -> Any:
            """Solve ``1/g = lambda + E s^2 w``."""
            return mpmath.findroot(
                lambda g: (
                    1 / g - ridge - sum(s * weight(g, s, source) for s in squares) / 25
                ),
                (mpmath.mpf("0.1"), 10),
                solver="anderson",
            )

        def weight(g: Any, square: Any, source: Any) -> Any:
            return alpha / (1 + square * g) + source

        def least(source: Any) -> Any:
            """Energy, minimised over b by hand."""
            g = trace(source)
            mean = sum(weight(g, s, source) for s in squares) / 25
            signal = sum(s * weight(g, s, source) for s in squares) / 25
            return mean * noise + signal * ridge / (signal + ridge)

        error = mpmath.diff(least, 0, h=mpmath.mpf("1e-20"))
        assert abs(found.quantities["generalization_error"] / error - 1) < 1e-30
        assert abs(found.quantities["resolvent_trace"] / trace(0) - 1) < 1e-30

r"""The derived equations against the matrix form, and against finite differences.

The matrix form of the stationarity of Psi, written by hand here and nowhere else::

    A^{-1} = V^{-1} + B,                      B = E[w c1 c1^T],
    1/g_q  = D_q + [B (1 + V B)^{-1}]_qq,     D_q = lambda + E[w cs_q].
"""

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

from detequiv.theory.models.matrices import InverseEntry, symmetric, upper_triangle
from detequiv.theory.models.potential import Model
from detequiv.theory.models.spiked import spiked_model, uncoupled_model


def averaged(model: Model, groups: int) -> dict[sp.Expr, sp.Expr]:
    """Names for the averages of w times a product of fields."""
    c1, cs = model.fields[groups : 2 * groups], model.fields[2 * groups : 3 * groups]
    names = {c1[i] * c1[j]: sp.Symbol(f"B{i}{j}") for i, j in upper_triangle(groups)}
    return names | {c: sp.Symbol(f"S{q}") for q, c in enumerate(cs)}


def derived_gradient(model: Model, groups: int) -> list[sp.Expr]:
    """Gradient of Psi with E[w ...] replaced by names; w itself is checked apart."""
    names = averaged(model, groups)
    return [
        local + sp.expand(form).subs(names)
        for local, form in zip(
            model.system.local_gradient, model.system.form, strict=True
        )
    ]


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_stationarity_is_the_matrix_form(groups: int) -> None:
    model = spiked_model(groups)
    alpha, beta, ridge, source, _, *weights = model.parameters
    chi = model.chi
    assert (
        sp.simplify(model.system.average_slope - (alpha / beta / (1 + chi) + source))
        == sp.S.Zero
    )
    assert model.energy_weight == alpha / beta / (1 + chi) + source

    gradient = derived_gradient(model, groups)
    names = averaged(model, groups)
    b = symmetric(tuple(names[k] for k in list(names)[: groups * (groups + 1) // 2]))
    spread = list(names.values())[-groups:]
    g = model.unknowns.positive
    v = sp.diag(*[beta * w * x for w, x in zip(weights, g, strict=True)])
    coupling = model.unknowns.definite

    # by A: the inverse of A must be V^{-1} + B
    inverse = v.inv() + b
    for (i, j), by_entry in zip(upper_triangle(groups), gradient[groups:], strict=True):
        factor = 1 if i == j else 2
        entry = InverseEntry(i, j, *coupling)
        assert sp.expand(beta * by_entry - factor * (inverse[i, j] - entry)) == 0

    # by g, at that A
    solved = inverse.inv()
    at_solution = dict(
        zip(coupling, [solved[i, j] for i, j in upper_triangle(groups)], strict=True)
    )
    dressed = b * (sp.eye(groups) + v * b).inv()
    for q in range(groups):
        hand = weights[q] * (ridge + spread[q] + dressed[q, q] - 1 / g[q])
        assert sp.cancel(gradient[q].subs(at_solution) - hand) == 0


def test_eight_groups_agree_with_the_matrix_form_to_twelve_digits() -> None:
    groups, nodes = 8, 20
    model = spiked_model(groups)
    rng = np.random.default_rng(5)
    weights, kappa_weights = rng.dirichlet(np.ones(groups)), rng.dirichlet([1] * nodes)
    alpha, beta, ridge, source = 1.7, 0.6, 3e-2, 0.1
    parameters = [alpha, beta, ridge, source, 0.0, *weights]
    fields = rng.normal(size=(len(model.fields), nodes))
    fields[2 * groups : 3 * groups] **= 2
    c1, cs = fields[groups : 2 * groups], fields[2 * groups : 3 * groups]
    g = rng.uniform(0.3, 3, groups)
    root = rng.normal(size=(groups, groups))
    a = root @ root.T + np.eye(groups)
    packed = upper_triangle(groups)

    def by_hand(g: Any, a: Any) -> Any:
        """Gradient of Psi, by the matrix form; analytic in its arguments."""
        chi = (weights * g) @ cs + np.einsum("in,ij,jn->n", c1, a, c1) / beta
        w = kappa_weights * (alpha / beta / (1 + chi) + source)
        b, v = (c1 * w) @ c1.T, beta * weights * g
        matrix = (np.diag(1 / v) + b - np.linalg.inv(a)) / beta
        positive = weights * (ridge + cs @ w - 1 / g + (v - np.diag(a)) / v**2)
        return np.array(
            [*positive, *(matrix[i, j] * (1 + (i != j)) for i, j in packed)]
        )

    inverse = np.linalg.inv(a)
    names = {"InverseEntry": lambda i, j, *_: inverse[int(i), int(j)]}
    symbols = [*model.unknowns.symbols, *model.parameters]
    x = np.array([*g, *(a[i, j] for i, j in packed)])
    system = model.system
    local = sp.lambdify(symbols, system.local_gradient, modules=[names, "numpy"])
    second = sp.lambdify(symbols, system.local_hessian, modules=[names, "numpy"])
    chain = sp.lambdify(
        [model.chi, *model.parameters, *model.fields],
        [system.average_slope, system.average_curvature, *system.form],
        "numpy",
    )
    chi = (weights * g) @ cs + np.einsum("in,ij,jn->n", c1, a, c1) / beta
    slope, curvature, *form = chain(chi, *parameters, *fields)
    gradient = local(*x, *parameters) + np.array(form) @ (slope * kappa_weights)
    np.testing.assert_allclose(gradient, by_hand(g, a), rtol=1e-12, atol=1e-12)

    hessian = np.zeros((len(x), len(x)))
    for (i, j), value in zip(
        upper_triangle(len(x)), second(*x, *parameters), strict=True
    ):
        hessian[i, j] = hessian[j, i] = value
    hessian += (np.array(form) * (curvature * kappa_weights)) @ np.array(form).T
    # a complex step differentiates the hand-written gradient to machine precision
    direction, tilt = rng.normal(size=groups), rng.normal(size=(groups, groups))
    tilt = tilt + tilt.T
    step = 1e-30j
    along = np.array([*direction, *(tilt[i, j] for i, j in packed)])
    slope_by_hand = by_hand(g + step * direction, a + step * tilt).imag / 1e-30
    size = np.abs(slope_by_hand).max()
    np.testing.assert_allclose(hessian @ along, slope_by_hand, atol=1e-12 * size)


class Discretised:
    """Psi and Energy of a model with three nodes in kappa, in mpmath."""

    def __init__(self, model: Model, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.model = model
        self.weights = [mpmath.mpf(v) for v in rng.dirichlet(np.ones(3))]
        self.fields = [
            [mpmath.mpf(v) for v in rng.normal(size=len(model.fields))]
            for _ in self.weights
        ]
        groups = len(model.unknowns.positive)
        for row in self.fields:
            row[2 * groups : 3 * groups] = [v**2 for v in row[2 * groups : 3 * groups]]
        shares = list(rng.dirichlet(np.ones(groups)))
        self.parameters = [*map(mpmath.mpf, [1.3, 0.8, 0.2, 0.15, 0.4, *shares])]
        root = rng.normal(size=(groups, groups))
        definite = root @ root.T + np.eye(groups)
        self.x = [*map(mpmath.mpf, rng.uniform(0.5, 2, groups))]
        self.x += [mpmath.mpf(definite[i, j]) for i, j in upper_triangle(groups)]
        self.y = [*map(mpmath.mpf, rng.normal(size=len(model.coefficients)))]

    def evaluate(self, local: Any, averaged: Any, **moved: list[Any]) -> Any:
        """Value of ``local + E averaged`` where some arguments may be moved."""
        model = self.model
        values = {"x": self.x, "y": self.y, "p": self.parameters} | moved
        symbols = [*model.unknowns.symbols, *model.coefficients, *model.parameters]
        numbers = [*values["x"], *values["y"], *values["p"]]

        def call(expr: Any, fields: list[Any]) -> Any:
            explicit = sp.sympify(expr).doit()
            function = sp.lambdify([*symbols, *model.fields], explicit, "mpmath")
            return function(*numbers, *fields)

        return call(local, self.fields[0]) + sum(
            w * call(averaged, f)
            for w, f in zip(self.weights, self.fields, strict=True)
        )


def moved(values: list[Any], place: int, step: Any) -> list[Any]:
    return [v + step * (i == place) for i, v in enumerate(values)]


@pytest.mark.parametrize("groups", [1, 2])
def test_gradient_and_hessian_of_psi_against_finite_differences(groups: int) -> None:
    model, step = spiked_model(groups), mpmath.mpf(10) ** -15
    system = model.system
    with mpmath.workdps(60):
        case = Discretised(model, seed=groups)
        chi = {model.chi: model.linear_form}
        slope = system.average_slope.subs(chi)
        curvature = system.average_curvature.subs(chi)
        size = len(case.x)
        for i in range(size):
            ahead, behind = (
                case.evaluate(
                    model.psi_local, model.psi_integrand, x=moved(case.x, i, s)
                )
                for s in (step, -step)
            )
            exact = case.evaluate(system.local_gradient[i], slope * system.form[i])
            assert abs((ahead - behind) / (2 * step) - exact) < 1e-25
        for (i, j), local in zip(
            upper_triangle(size), system.local_hessian, strict=True
        ):
            ahead, behind = (
                case.evaluate(
                    system.local_gradient[i],
                    slope * system.form[i],
                    x=moved(case.x, j, s),
                )
                for s in (step, -step)
            )
            exact = case.evaluate(local, curvature * system.form[i] * system.form[j])
            assert abs((ahead - behind) / (2 * step) - exact) < 1e-25


@pytest.mark.parametrize("groups", [1, 2])
def test_pieces_of_the_energy_against_finite_differences(groups: int) -> None:
    model, step = spiked_model(groups), mpmath.mpf(10) ** -15
    system = model.system
    squares = sum((r**2 for r in model.energy_residuals), model.energy_rest)
    weight = model.energy_weight.subs(model.chi, model.linear_form)
    weight_slope = system.weight_slope.subs(model.chi, model.linear_form)
    by_source = [(s, system.source_derivatives(s)) for s in (model.source, model.ridge)]
    with mpmath.workdps(60):
        case = Discretised(model, seed=10 + groups)

        def energy(**where: list[Any]) -> Any:
            return case.evaluate(model.energy_local, model.energy_integrand, **where)

        for i, local in enumerate(system.energy_local_gradient):
            difference = energy(x=moved(case.x, i, step)) - energy(
                x=moved(case.x, i, -step)
            )
            exact = case.evaluate(local, weight_slope * squares * system.form[i])
            assert abs(difference / (2 * step) - exact) < 1e-25
        for source, derivatives in by_source:
            place = model.parameters.index(source)
            difference = energy(p=moved(case.parameters, place, step)) - energy(
                p=moved(case.parameters, place, -step)
            )
            exact = case.evaluate(
                derivatives.energy_local, derivatives.energy_weight * squares
            )
            assert abs(difference / (2 * step) - exact) < 1e-25
            slope = derivatives.average_slope.subs(model.chi, model.linear_form)
            for i, local in enumerate(derivatives.local_gradient):
                gradients = [
                    case.evaluate(
                        system.local_gradient[i],
                        system.average_slope.subs(model.chi, model.linear_form)
                        * system.form[i],
                        p=moved(case.parameters, place, s),
                    )
                    for s in (step, -step)
                ]
                exact = case.evaluate(local, slope * system.form[i])
                assert abs((gradients[0] - gradients[1]) / (2 * step) - exact) < 1e-25

        # the quadratic form in the coefficients: offsets, slopes and penalty
        rebuilt = case.evaluate(
            sp.Add(
                *[
                    entry
                    * model.coefficients[i]
                    * model.coefficients[j]
                    * (1 + (i != j))
                    for (i, j), entry in zip(
                        upper_triangle(len(case.y)), system.penalty, strict=True
                    )
                ]
            ),
            weight
            * (
                model.energy_rest
                + sp.Add(
                    *[
                        (
                            offset
                            - sp.Add(
                                *[
                                    a * s
                                    for a, s in zip(
                                        model.coefficients, row, strict=True
                                    )
                                ]
                            )
                        )
                        ** 2
                        for offset, row in zip(
                            system.residual_offsets,
                            system.residual_slopes,
                            strict=True,
                        )
                    ]
                )
            ),
        )
        assert abs(rebuilt - energy()) < 1e-40


def test_chi_sees_equal_groups_as_one() -> None:
    """With equal fields only the sums of pi g and of the entries of A matter."""
    one, two = spiked_model(1), spiked_model(2)
    merged = dict(zip(two.fields[2:4], one.fields[1:2] * 2, strict=True))
    merged |= dict(zip(two.fields[4:6], one.fields[2:3] * 2, strict=True))
    (a_11, a_12, a_22), (a,) = two.unknowns.definite, one.unknowns.definite
    pi_1, pi_2 = two.parameters[5:]
    g_1, g_2 = two.unknowns.positive
    (g,) = one.unknowns.positive
    joined = one.linear_form.subs(
        {a: a_11 + 2 * a_12 + a_22, g: (pi_1 * g_1 + pi_2 * g_2) / one.parameters[5]}
    )
    assert sp.expand(two.linear_form.subs(merged) - joined) == 0


@pytest.mark.parametrize("groups", [1, 3])
def test_features_without_a_linear_part_leave_the_matrix_at_its_minimum(
    groups: int,
) -> None:
    full, reduced = spiked_model(groups), uncoupled_model(groups)
    beta, weights = full.parameters[1], full.parameters[-groups:]
    g = full.unknowns.positive
    diagonal = {
        entry: beta * weights[i] * g[i] if i == j else 0
        for entry, (i, j) in zip(
            full.unknowns.definite, upper_triangle(groups), strict=True
        )
    }
    flat = dict.fromkeys(full.fields[full.families["c1"]], 0)
    assert sp.expand(full.linear_form.subs(flat) - reduced.linear_form) == 0
    for slope, own in zip(
        full.system.local_gradient,
        reduced.system.local_gradient + [0] * len(diagonal),
        strict=True,
    ):
        assert sp.simplify(slope.subs(diagonal).doit() - own) == 0

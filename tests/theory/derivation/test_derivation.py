"""What `derive` returns, against derivatives taken the slow way."""

from dataclasses import replace
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any

import numpy as np
import pytest
import sympy as sp

from detequiv.theory.derivation.derivation import Derivation, TotalDerivative
from detequiv.theory.derivation.derive import derive
from detequiv.theory.errors import InputError
from detequiv.theory.models.kappa_mean import KappaMean
from detequiv.theory.models.matrices import symmetric, upper_triangle
from detequiv.theory.models.potential import energy_ridge, energy_source
from detequiv.theory.problem import (
    Network,
    Problem,
    Ridge,
    SpikedFeatures,
    Target,
)


def same(left: Any, right: Any) -> bool:
    return bool(sp.expand(left - right) == 0)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_equations_are_the_derivatives_of_the_potential(groups: int) -> None:
    derivation = derive(groups=groups)
    x = derivation.model.unknowns.symbols
    assert derivation.jacobian.shape == (len(x), len(x))
    for i, unknown in enumerate(x):
        assert same(derivation.potential.diff(unknown), derivation.residuals[i])
        for j in range(len(x)):
            assert same(derivation.residuals[i].diff(x[j]), derivation.jacobian[i, j])


@pytest.mark.parametrize("groups", [1, 2])
def test_total_derivatives_are_made_of_partial_ones(groups: int) -> None:
    derivation = derive(groups=groups)
    model = derivation.model
    for name, parameter in ((energy_source, model.source), (energy_ridge, model.ridge)):
        total = derivation.total_derivatives[name]
        assert same(derivation.energy.diff(parameter), total.direct)
        for i, unknown in enumerate(model.unknowns.symbols):
            assert same(derivation.energy.diff(unknown), total.gradient[i])
            assert same(derivation.residuals[i].diff(parameter), total.mixed[i])


class Numbers:
    """Random numbers for a derivation, with three nodes in kappa."""

    def __init__(self, derivation: Derivation) -> None:
        model, rng = derivation.model, np.random.default_rng(3)
        self.shares = rng.dirichlet(np.ones(3))
        groups = len(model.unknowns.positive)
        root = rng.normal(size=(groups, groups))
        definite = root @ root.T + np.eye(groups)
        upper = [definite[i, j] for i, j in upper_triangle(groups)]
        self.values = dict(
            zip(
                (*model.unknowns.symbols, *model.coefficients, *model.parameters),
                (
                    *rng.uniform(0.5, 2, groups),
                    *upper,
                    *rng.normal(size=len(model.coefficients)),
                    *(1.3, 0.8, 0.2, 0.0, 0.4),
                    *rng.dirichlet(np.ones(groups)),
                ),
                strict=True,
            )
        )
        self.nodes = [
            dict(zip(model.fields, rng.uniform(0.2, 2, len(model.fields)), strict=True))
            for _ in self.shares
        ]

    def __call__(self, expression: sp.Expr) -> float:
        def on_nodes(inside: sp.Expr) -> sp.Expr:
            return sp.Add(
                *[
                    w * inside.xreplace(self.values | node)
                    for w, node in zip(self.shares, self.nodes, strict=True)
                ]
            )

        return float(expression.replace(KappaMean, on_nodes).subs(self.values).doit())


def printed_total(
    derivation: Derivation, numbers: Numbers, source: int, ridge: int
) -> float:
    """Total derivative of the energy by the printed linear equations, solved."""
    model, at = derivation.model, numbers
    alpha, beta, _, _, _, *pi = model.parameters
    g = model.unknowns.positive
    groups = len(g)
    a = symmetric(model.unknowns.definite)
    c1, cs = model.fields[groups : 2 * groups], model.fields[2 * groups : 3 * groups]
    dg = sp.symbols(f"dg:{groups}")
    upper = sp.symbols(f"dA:{len(model.unknowns.definite)}")
    da = symmetric(upper)
    c = sp.Matrix(c1)
    v = [beta * p * x for p, x in zip(pi, g, strict=True)]
    dv = [beta * p * x for p, x in zip(pi, dg, strict=True)]
    dchi = sp.Add(*[p * x * s for p, x, s in zip(pi, dg, cs, strict=True)])
    dchi += (c.T * da * c)[0] / beta
    dw = source - alpha / beta * dchi / (1 + model.linear_form) ** 2
    inverse = a.xreplace(at.values).inv()
    in_a = inverse * da * inverse + (c * c.T * dw)
    unknowns = [*dg, *upper]

    def mean(expression: sp.Expr) -> sp.Expr:
        return sp.Add(
            *[
                w * expression.xreplace(at.values | node)
                for w, node in zip(at.shares, at.nodes, strict=True)
            ]
        )

    equations = [
        mean(in_a[i, j] - (dv[i] / v[i] ** 2 if i == j else 0))
        for i, j in upper_triangle(groups)
    ]
    equations += [
        mean(
            dg[q] / g[q] ** 2
            + ridge
            + dw * cs[q]
            - (da[q, q] + dv[q]) / v[q] ** 2
            + 2 * a[q, q] * dv[q] / v[q] ** 3
        )
        for q in range(groups)
    ]
    matrix, right = sp.linear_eq_to_matrix(equations, unknowns)
    found = np.linalg.solve(
        np.array(matrix, dtype=float), np.array(right, dtype=float)[:, 0]
    )
    moved = dict(zip(unknowns, found, strict=True))
    squares = sum((r**2 for r in model.energy_residuals), model.energy_rest)
    t, r = model.coefficients[groups : 2 * groups], model.coefficients[2 * groups :]
    penalty = sp.Add(
        *[(t[q] ** 2 + r[q] ** 2) / v[q] ** 2 * dv[q] for q in range(groups)]
    )
    return float(mean(dw * squares - penalty).xreplace(moved))


def derived_total(
    derivation: Derivation, numbers: Numbers, total: TotalDerivative
) -> float:
    size = len(total.gradient)
    hessian = np.array(
        [[numbers(derivation.jacobian[i, j]) for j in range(size)] for i in range(size)]
    )
    gradient = [numbers(v) for v in total.gradient]
    mixed = [numbers(v) for v in total.mixed]
    return float(numbers(total.direct) - gradient @ np.linalg.solve(hessian, mixed))


def test_the_printed_implicit_differentiation_is_the_derived_one() -> None:
    derivation = derive(groups=2)
    numbers = Numbers(derivation)
    for name, source, ridge in ((energy_source, 1, 0), (energy_ridge, 0, 1)):
        derived = derived_total(derivation, numbers, derivation.total_derivatives[name])
        assert printed_total(derivation, numbers, source, ridge) == pytest.approx(
            derived, rel=1e-10
        )


def test_one_of_problem_and_groups() -> None:
    with pytest.raises(InputError, match="neither"):
        derive()
    with pytest.raises(InputError, match="from 1 to 8"):
        derive(groups=9)
    with pytest.raises(InputError, match="give a problem"):
        derive(groups=2).latex(closed_forms=True)


def problem(activation: str, **others: Any) -> Problem:
    return Problem(
        features=SpikedFeatures(activation=activation, spike=["3/2", "-4/5"]),
        target=Target(function="z + (z**2 - 1)/2", noise="3/10", **others),
        ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty="1/20"),
    )


def test_a_derivation_is_remembered() -> None:
    assert derive(groups=3) is derive(groups=3)
    assert derive(problem("relu")) is derive(problem("relu"))


@pytest.mark.parametrize("groups", [1, 2, 5, 8])
def test_documents_are_of_a_size_to_read(groups: int) -> None:
    derivation = derive(groups=groups)
    latex, text = derivation.latex(), derivation.text()
    assert latex.count("\n") < 130
    assert text.count("\n") < 110
    for start, end in (("{", "}"), (r"\begin{", r"\end{"), (r"\left", r"\right")):
        assert latex.count(start) == latex.count(end)
    assert "inv(A) = inv(V) + B" in text


@pytest.mark.skipif(which("pdflatex") is None, reason="there is no LaTeX to compile it")
@pytest.mark.parametrize(
    "activation", ["relu", "gelu", "sin(z) + z**3", "erf(z)*exp(-z**2)", "tanh"]
)
def test_documents_compile_and_keep_within_the_margins(
    activation: str, tmp_path: Path
) -> None:
    latex = derive(problem(activation, alignment="3/5")).latex(closed_forms=True)
    (tmp_path / "equations.tex").write_text(latex, "utf-8")
    log = run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "equations.tex"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        text=True,
    ).stdout
    assert "Warning" not in log
    assert "Overfull" not in log


def test_closed_forms_replace_averages() -> None:
    derivation = derive(problem("relu", alignment="3/5"))
    assert r"c_{1,q}(\kappa) &= \rho_{q} \Phi\left(" in derivation.latex(
        closed_forms=True
    )
    assert r"c_{1,q}(\kappa) &= \mathbb{E}" in derivation.latex().replace(
        r"\E", r"\mathbb{E}"
    )
    closed = derivation.text(closed_forms=True)
    assert "c1_q(kappa) = rho_q*NormalCdf(kappa*u_q/rho_q)" in closed
    assert "tau1(kappa) = 12*kappa/25 + 4/5" in closed


def test_a_step_is_traced_back_to_hermite_coefficients() -> None:
    network = Network(activation="relu", readout=[1, "-1/2"], step=3, rows="gaussian")
    whole = replace(problem("relu"), features=None, network=network)
    text = derive(whole).text()
    assert "mu_1(sigma) = 1/2," in text
    assert "u_q = (eta A_q)*mu_1(f*)*mu_1(sigma)" in text
    assert (
        "h_1_q = ((eta A_q)*mu_2(sigma)*(mu_0(f*) + mu_2(f*)) + 1) dc0_q/du_q + "
        "((eta A_q)*mu_1(f*)*mu_3(sigma)) dc0_q/drho_q" in text
    )
    batch = replace(whole, network=replace(network, batch_per_dim=20))
    with pytest.raises(InputError, match=r"network.batch_per_dim = 20"):
        derive(batch)

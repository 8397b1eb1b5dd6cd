"""What a gradient step makes of a first layer, on paper."""

import sympy as sp

from detequiv.theory.gaussian import hermite_coefficient
from detequiv.theory.paper import Formula, Section, number, tex
from detequiv.theory.problem import Network, Problem, population_step

__all__ = ["step_section"]

_rate = sp.Symbol("(eta A_q)")
_activation = sp.symbols("mu_0:5(sigma)")
_target = sp.symbols("mu_0:3(g)")
_NAMES = {
    _rate: r"\eta A_q",
    **{mu: rf"\mu_{k}(\sigma)" for k, mu in enumerate(_activation)},
    **{mu: rf"\mu_{k}(g)" for k, mu in enumerate(_target)},
}


def step_section(problem: Problem, network: Network) -> Section:
    """Trace strengths, bulk scales and tangents back to Hermite coefficients."""
    body: list[str | Formula] = [
        r"The rows $w_j$ of the first layer took one step of rate $\eta p$ on half the "
        "mean squared error of a network,",
        Formula(
            r"f(x) &= \frac1p \sum_j A_j\, \sigma(w_j \cdot x)",
            "f(x) = (1/p) sum_j A_j sigma(w_j . x)",
        ),
        Formula(
            r"f_j &= w_j + \eta A_j\, \E\bigl[(y - f(x))\, \sigma'(w_j \cdot x)\, "
            r"x\bigr]",
            "f_j = w_j + eta A_j E[(y - f(x)) sigma'(w_j . x) x]",
        ),
        "The average is over all inputs. The step, the values of the second layer, and "
        "the Hermite coefficients of activation and target:",
        _listed({r"\eta": ("eta", network.step)}),
        _listed(
            {
                f"A_{q}": (f"A_{q}", value)
                for q, value in enumerate(network.vocabulary, start=1)
            }
        ),
        _coefficients(r"\sigma", "sigma", network.activation, range(3)),
        _coefficients(r"\sigma", "sigma", network.activation, range(3, 5)),
        _coefficients("g", "g", problem.target.function, range(3)),
        r"With $\mu_0(g)$ standing, from here on, for the target's mean less the "
        "network's own,",
        *_consequences(network.rows),
    ]
    return Section("Gradient step", body)


def _coefficients(latex: str, text: str, function: sp.Expr, orders: range) -> Formula:
    return _listed(
        {
            rf"\mu_{k}({latex})": (f"mu_{k}({text})", hermite_coefficient(function, k))
            for k in orders
        }
    )


def _listed(values: dict[str, tuple[str, sp.Expr]]) -> Formula:
    """Set names equal to numbers, on one line."""
    spelled = [(name, text, number(v)) for name, (text, v) in values.items()]
    return Formula(
        "&" + r", \quad ".join(f"{name}{value.latex}" for name, _, value in spelled),
        ",  ".join(f"{text} {value.text}" for _, text, value in spelled),
    )


def _consequences(rows: str) -> list[Formula]:
    """Write u_q, rho_q and what is differentiated in the tangents h_q."""
    group = population_step(_rate, _activation, _target, rows)
    formulas = [
        _equal("u_q", "u_q", group.strength),
        _equal(r"\rho_q", "rho_q", group.scale),
    ]
    latents = group.latents
    for place, (du, drho) in enumerate(latents, start=1):
        index = "q" if len(latents) == 1 else f"{place},q"
        plain = index.replace(",", "_")
        formulas.append(
            Formula(
                rf"h_{{{index}}} &= \Bigl({tex(_factored(du), _NAMES)}\Bigr) "
                r"\frac{\partial c_{0,q}}{\partial u_q}" + "\\\\\n"
                rf"&\quad + \Bigl({tex(_factored(drho), _NAMES)}\Bigr) "
                r"\frac{\partial c_{0,q}}{\partial \rho_q}",
                f"h_{plain} = ({_factored(du)}) dc0_q/du_q + "
                f"({_factored(drho)}) dc0_q/drho_q",
            )
        )
    return formulas


def _equal(latex: str, text: str, value: sp.Expr) -> Formula:
    return Formula(f"{latex} &= {tex(value, _NAMES)}", f"{text} = {value}")


def _factored(value: sp.Expr) -> sp.Expr:
    """Take common Hermite coefficients out of the term with the step."""
    return sp.collect(value, _rate, sp.factor)

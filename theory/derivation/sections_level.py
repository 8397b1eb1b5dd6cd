r"""Problems whose leverage is one number, as one writes them by hand.

Without a spike, or for an affine activation, no average over kappa is left: the
functions of kappa that matter are numbers, the matrix A has one number W for all its
freedom, and the minimal energy is a rational function
(:mod:`detequiv.theory.closed.reduction`).
"""

import sympy as sp

from detequiv.theory.closed import (
    Group,
    Reduction,
    coupled,
    leverage,
    of_problem,
    spell,
    weight,
)
from detequiv.theory.paper import Formula, Section, equation, number, tex
from detequiv.theory.problem import Problem, kappa

__all__ = ["level_sections", "reduced"]

Names = dict[sp.Symbol, str]
Item = str | Formula
FREE = (
    "ridge.samples_per_dim",
    "ridge.width_per_dim",
    "ridge.penalty",
    "target.noise",
)


def reduced(problem: Problem) -> Reduction:
    """Write the equations with the problem's constants, its parameters as symbols."""
    untrained = of_problem(problem, FREE)
    circle = {s: v for s, v in untrained.values.items() if v == sp.pi}
    return Reduction(untrained.at(circle))


def level_sections(problem: Problem, groups: list[Group]) -> list[Section]:
    """Lay out numbers, equations and errors in the order of reading."""
    found = reduced(problem)
    names = _names(found)
    with_w = coupled in found.unknowns
    resolvent = dict(zip(found.resolvent, found.written, strict=True))
    energy = _collected(found.energy)
    derived = [s for s in found.steps if s not in (*resolvent, leverage)]
    moving = "$w$ and $W$ move" if with_w else "$w$ moves"
    return [
        Section("Numbers", _numbers(found, groups, names)),
        Section("Equations", _equations(found, names)),
        Section(
            "Energy",
            [
                "The mean features are free of charge. What else there is in the "
                "target costs",
                equation(Formula(r"\mathcal{E}", "Energy"), energy, names),
            ],
        ),
        Section(
            "Errors",
            [
                r"Errors are total derivatives of the energy by a source $\varepsilon$ "
                rf"that is added to $w$, and by $\lambda$; {moving} by implicit "
                "differentiation:",
                *[_line(s, found.steps[s], names) for s in derived],
                *[
                    equation(Formula(rf"\text{{{n.replace('_', ' ')}}}", n), e, names)
                    for n, e in found.quantities.items()
                    if n not in map(str, found.resolvent)
                ],
            ],
        ),
    ]


def _numbers(found: Reduction, groups: list[Group], names: Names) -> list[Item]:
    """Averages over g of every group, and what else has a name."""
    grows = any(group.c0.has(kappa) for group in groups)
    body: list[Item] = [
        "Of the activation of a unit at a Gaussian number matter the mean, the linear "
        "coefficient and the variance of the rest"
        + (r" (the mean depends on $\kappa$):" if grows else ":")
    ]
    known = set()
    for q, group in enumerate(groups, start=1):
        index = "" if len(groups) == 1 else f"_{q}"
        for letter, value in (("c0", group.c0), ("c1", group.c1), ("cs", group.cs)):
            symbol = sp.Symbol(letter + index)
            known.add(symbol.name)
            if value.has(kappa):
                body.append(_line(symbol, value, names))
                continue
            spelled = number(value)
            name = tex(symbol, names | {symbol: spell(symbol)})
            body.append(
                Formula(f"{name} &{spelled.latex[1:]}", f"{symbol} {spelled.text}")
            )
    others = {s: v for s, v in found.untrained.values.items() if s.name not in known}
    return body + [_line(s, v, names) for s, v in others.items() if v != sp.pi]


def _equations(found: Reduction, names: Names) -> list[Item]:
    """State the stationarity of Psi in w, W and g."""
    u, g = found.untrained, found.resolvent
    weighing = _line(weight, u.samples / u.units / (1 + leverage), names)
    along = sp.S.Zero
    body: list[Item] = [
        "The weight of a sample is one number. Linear coefficients vanish, and with "
        "them all but the diagonal of $A$, as in the law of Marchenko and Pastur:",
        weighing,
    ]
    if coupled in found.unknowns:
        along = coupled / weight
        linear = zip(u.weights, u.linear, g, strict=True)
        inverse = 1 / weight + u.units * sp.Add(*[p * a * x for p, a, x in linear])
        body = [
            "The weight $w$ of a sample is one number, and another, $W$, makes the "
            r"matrix $A = V - W V c_1 c_1^\top V$, with $V$ the diagonal matrix of "
            r"$\beta \pi_q g_q$:",
            weighing,
            equation(Formula(r"\frac1W", "1/W"), inverse, names),
        ]
    parts = zip(u.weights, g, u.rest, u.linear, strict=True)
    chi = sp.Add(*[p * x * (rest + along * a) for p, x, rest, a in parts])
    body.append(_line(leverage, chi, names))
    for x, value in zip(g, found.written, strict=True):
        left = Formula(rf"\frac1{{{tex(x, names)}}}", f"1/{x}")
        body.append(equation(left, 1 / value, names))
    return body


def _line(symbol: sp.Symbol, value: sp.Expr, names: Names) -> Formula:
    return equation(Formula(tex(symbol, names), str(symbol)), value, names)


def _collected(energy: sp.Expr) -> sp.Expr:
    """Collect by w and W, where it is linear in them."""
    if energy.is_polynomial(weight, coupled):
        return sp.collect(sp.expand(energy), (weight, coupled))
    return energy


def _names(found: Reduction) -> Names:
    """Spell all symbols as the theory does."""
    symbols = {weight, coupled, *found.untrained.symbols, *found.steps}
    return {symbol: spell(symbol) for symbol in symbols}

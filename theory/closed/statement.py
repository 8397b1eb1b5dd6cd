"""A closed form on paper: its polynomial, and what is reported by its root."""

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from detequiv.theory.closed.elimination import Elimination
from detequiv.theory.closed.reduction import coupled, weight
from detequiv.theory.gaussian import GaussianMean
from detequiv.theory.paper import Formula, Section, equation, tex

__all__ = ["python_source", "sections", "spell", "title"]

WIDEST = 120  # characters of a polynomial on one line

NAMES = {
    "w_epsilon": r"\partial_\varepsilon w",
    "W_epsilon": r"\partial_\varepsilon W",
    "w_lambda": r"\partial_\lambda w",
    "W_lambda": r"\partial_\lambda W",
    "resolvent_trace": r"\tau",
    "mu_rest": r"\mu_{>1}",
    "cs": r"c_\ast",
    "c1": "c_1",
}
HEAD = '''\
"""{title}. Needs Python alone."""

import math
'''
COEFFICIENTS = '''

def coefficients({arguments}):
    """Coefficients of the polynomial in {unknown}, that of the highest power first."""
    return [
        {inside},
    ]
'''
REPORTED = '''

def reported({arguments}):
    """Evaluate what is reported at the physical root."""
{steps}    return {{
        {inside},
    }}
'''
MAIN = """

ROOT = {root}

if __name__ == "__main__":
    for name, value in reported(ROOT).items():
        print(f"{{name:<22}} {{value:.12g}}")
"""


def title(unknown: sp.Symbol) -> Formula:
    """Say what a relation is of."""
    return Formula(
        f"Closed form: a polynomial for ${spell(unknown)}$",
        f"Closed form: a polynomial for {unknown}",
    )


def sections(elimination: Elimination, root: str | None) -> list[Section]:
    """Lay out the relation in the order of reading.

    Parameters
    ----------
    elimination : Elimination
        What was eliminated.
    root : str or None
        Decimals of the physical root, where all numbers are known.
    """
    x, reduction = elimination.unknown, elimination.reduction
    untrained = reduction.untrained
    symbols = {x, weight, coupled, *untrained.symbols, *reduction.steps}
    names = {s: spell(s) for s in symbols}

    def line(symbol: sp.Symbol, value: sp.Expr) -> Formula:
        return equation(Formula(tex(symbol, names), str(symbol)), value, names)

    found: list[Section] = []
    numbers = [(s, v) for s, v in untrained.values.items() if s.name != "pi"]
    if numbers:
        found.append(Section("Numbers", [_number(s, v, names) for s, v in numbers]))
    body: list[str | Formula] = [
        "Exactly one stationary point has positive $w$ and $W$, the physical one. "
        "There this irreducible polynomial vanishes:",
        *_polynomial(elimination.polynomial, names),
    ]
    if root is not None:
        body.append(Formula(rf"{tex(x, names)} &\approx {root}", f"{x} ~ {root}"))
    found.append(Section("Polynomial", body))
    if elimination.point is not None:
        steps = [line(s, e) for s, e in _steps(elimination).items()]
        meaning = _INTERPOLATING if untrained.interpolating else _MEANING
        found.append(Section("At its root", [meaning, *steps]))
        quantities = dict(reduction.quantities)
    else:
        quantities = dict(elimination.quantities)
    formulas: list[str | Formula] = [
        equation(Formula(rf"\text{{{n.replace('_', ' ')}}}", n), e, names)
        for n, e in quantities.items()
        if str(e) != n
    ]
    missing = [n for n in reduction.quantities if n not in elimination.quantities]
    if missing:
        formulas.append(
            f"Not rational in the unknown: {', '.join(missing).replace('_', ' ')}. "
            "Take one of these as the unknown."
        )
    found.append(Section("Reported", formulas))
    return found


_MEANING = (
    r"The residual of a fresh sample is $1 + \chi$ times that of a training sample. "
    r"$w$ and $W$ move with the penalty $\lambda$ and with the source $\varepsilon$, "
    "by which the test error is a derivative."
)
_INTERPOLATING = (
    r"As $\lambda$ vanishes, $w$, $W$ and the source $\varepsilon$ stand for their "
    r"ratios to it, and $\chi$ for $\lambda \chi$. The test error is a derivative by "
    "the source."
)


def _steps(elimination: Elimination) -> dict[sp.Symbol, sp.Expr]:
    """List what the quantities are made of, by the unknown and those before."""
    reduction, point = elimination.reduction, elimination.point or {}
    used = set().union(*(e.free_symbols for e in reduction.quantities.values()))
    chain = {s: point[s] for s in (weight, coupled) if s in point} | {
        s: e for s, e in reduction.steps.items() if s != elimination.unknown
    }
    for symbol, value in reversed(chain.items()):
        if symbol in used:
            used |= value.free_symbols
    return {s: e for s, e in chain.items() if s in used}


def _polynomial(polynomial: sp.Poly, names: dict[sp.Symbol, str]) -> list[Formula]:
    """Write a polynomial on a line, or its coefficients one by one."""
    terms = {k: sp.factor(c) for (k,), c in polynomial.terms()}
    whole = sp.Add(*[c * polynomial.gen**k for k, c in terms.items()])
    if len(sp.sstr(whole)) <= WIDEST:
        return [equation(Formula("0", "0"), whole, names)]
    x = tex(polynomial.gen, names)
    total = Formula(rf"0 &= \sum_k a_k {x}^k", f"0 = sum_k a_k {polynomial.gen}^k")
    return [
        total,
        *[equation(Formula(f"a_{k}", f"a_{k}"), c, names) for k, c in terms.items()],
    ]


def _number(symbol: sp.Symbol, value: sp.Expr, names: dict[sp.Symbol, str]) -> Formula:
    left = Formula(tex(symbol, names), str(symbol))
    if value.has(GaussianMean):
        decimals = str(value.evalf(20))
        return Formula(
            rf"{left.latex} &\approx {decimals}", f"{left.text} ~ {decimals}"
        )
    return equation(left, value, names)


def spell(symbol: sp.Symbol) -> str:
    """Name a symbol as the theory does."""
    if symbol.name in NAMES:
        return NAMES[symbol.name]
    letter, _, index = symbol.name.rpartition("_")
    if letter in ("c1", "cs"):
        return f"c_{{{index}, 1}}" if letter == "c1" else rf"c_{{{index}, \ast}}"
    if letter == "lambda_g":
        return rf"(\lambda g_{{{index}}})"
    return str(sp.latex(symbol))


def python_source(elimination: Elimination, root: str | None) -> str:
    """Write a module with the polynomial's coefficients and what is reported."""
    printer = PythonCodePrinter({"fully_qualified_modules": True})

    def code(expression: sp.Expr) -> str:
        known = {e: e.evalf(17) for e in expression.atoms(GaussianMean)}
        return str(printer.doprint(expression.xreplace(known)))

    x, reduction = elimination.unknown, elimination.reduction
    untrained = reduction.untrained
    constants = "".join(f"{code(s)} = {code(v)}\n" for s, v in untrained.values.items())
    arguments = [code(s) for s in untrained.free]
    rows = [code(c) for c in elimination.polynomial.all_coeffs()]
    steps, quantities = "", dict(elimination.quantities)
    if elimination.point is not None:
        chain = _steps(elimination)
        steps = "".join(f"    {code(s)} = {code(e)}\n" for s, e in chain.items())
        quantities = dict(reduction.quantities)
    entries = [f'"{name}": {code(e)}' for name, e in quantities.items()]
    inside = ",\n        "
    source = HEAD.format(title=title(x).text) + (f"\n{constants}" if constants else "")
    source += COEFFICIENTS.format(
        arguments=", ".join(arguments), unknown=x, inside=inside.join(rows)
    )
    source += REPORTED.format(
        arguments=", ".join([code(x), *arguments]),
        steps=steps,
        inside=inside.join(entries),
    )
    return source + (MAIN.format(root=root) if root is not None else "")

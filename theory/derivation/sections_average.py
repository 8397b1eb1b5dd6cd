r"""One group with a quadratic activation: the one average that is left, by erfc.

Then ``c1`` is linear in kappa, ``cs`` a number, and ``1 + chi`` a quadratic polynomial.
With ``J = E 1/(1 + chi)`` the equations close, for
``E[c1^2/(1 + chi)] = (beta/A) E[(chi - g cs)/(1 + chi)]``.
"""

import sympy as sp

from detequiv.theory.closed import Group
from detequiv.theory.functions import z
from detequiv.theory.gaussian import quadratic_mean
from detequiv.theory.paper import Formula, Section, equation
from detequiv.theory.problem import kappa

__all__ = ["average_section", "mean_inverse"]

g, coupling, beta = sp.symbols("g_1 A_11 beta", positive=True)
NAMES = {coupling: "A_{11}"}


def mean_inverse(group: Group) -> sp.Expr | None:
    """Write ``E 1/(1 + chi)`` by g and A; None if it does not close."""
    c1, cs = sp.expand(group.c1), sp.expand(group.cs)
    if cs.has(kappa) or not c1.is_polynomial(kappa) or sp.degree(c1, kappa) != 1:
        return None
    below = 1 + g * cs + coupling * c1.subs(kappa, z) ** 2 / beta
    return quadratic_mean(sp.S.One, sp.expand(below))


def average_section(groups: list[Group]) -> list[Section]:
    """State the closed form, if there is one group and it has one."""
    if len(groups) != 1:
        return []
    (group,) = groups
    value = mean_inverse(group)
    if value is None:
        return []
    return [
        Section(
            "The average that is left",
            [
                r"The activation is quadratic, so that $c_1$ is linear in $\kappa$ and "
                r"$c_\star$ a number:",
                equation(Formula(r"c_1(\kappa)", "c1(kappa)"), sp.expand(group.c1)),
                equation(Formula(r"c_\star", "cs"), sp.expand(group.cs)),
                "The equations need one average, which is an error function:",
                equation(
                    Formula(r"J = \E_\kappa \frac1{1 + \chi}", "J = E 1/(1 + chi)"),
                    value,
                    NAMES,
                ),
                "With it, at vanishing source,",
                Formula(
                    r"D_1 &= \lambda + \frac\alpha\beta\, c_\star J, \qquad "
                    r"B = \frac{\alpha}{A_{11}} "
                    r"\bigl[1 - (1 + c_\star g_1) J\bigr]",
                    "D_1 = lambda + (alpha/beta) cs J\n"
                    "B   = (alpha/A_11) [1 - (1 + cs g_1) J]",
                ),
            ],
        )
    ]

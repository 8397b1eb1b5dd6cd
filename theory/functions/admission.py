"""Which functions can serve as activation or target, and why others cannot."""

from collections.abc import Sequence

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions.analyticity import require_finite, strip
from detequiv.theory.functions.expressions import parse_function
from detequiv.theory.functions.grammar import projections, z
from detequiv.theory.functions.growth import require_square_integrable
from detequiv.theory.functions.pieces import KINKED, pieces

__all__ = ["read_function", "read_target"]

BOUNDED = (sp.tanh, sp.sin, sp.cos, sp.erf)  # functions of any polynomial argument


def read_function(
    text: str | sp.Expr, field: str, variances: Sequence[sp.Expr] = (sp.S.One,)
) -> sp.Expr:
    """Read a function of z that has conditional Hermite functions.

    Parameters
    ----------
    text : str or Expr
        A catalogue name, or an expression in z.
    field : str
        Name to use in an error message.
    variances : sequence of Expr
        Variances of the Gaussian arguments that the function will get:
        ``rho_q^2 + u_q^2`` for an activation, 1 for a target.

    Raises
    ------
    InputError
        Outside the grammar; infinite or not real somewhere on the real axis; not
        square integrable under one of the Gaussians.

    Examples
    --------
    >>> read_function("exp(z**2/8)", "target.function")
    exp(z**2/8)
    >>> read_function("sign(z)**2", "target.function")
    1
    >>> read_function("1/z", "target.function")
    Traceback (most recent call last):
    detequiv.theory.errors.InputError: target.function = 1/z: 1/z has a pole at z = 0
    """
    function = parse_function(text, field)
    try:
        parts = pieces(function)
        require_finite(parts)
        for variance in sorted(set(variances), key=float):
            require_square_integrable(parts, variance)
        if not parts.breaks:
            strip(function)
    except ValueError as error:
        raise InputError(field, text, str(error)) from None
    # an average does not see single points, such as where sign(z)**2 is not 1
    return parts.branches[0] if not parts.breaks and function.has(*KINKED) else function


def read_target(text: str | sp.Expr, field: str) -> sp.Expr:
    """Read a function of z, or of several projections z1, z2, ..; z alone is z1.

    Parameters
    ----------
    text, field
        As for `read_function`.

    Returns
    -------
    Expr
        In z if it has no other variable, else in z1, z2, ...

    Raises
    ------
    InputError
        Outside the grammar; not square integrable, or not smooth in several variables.

    Examples
    --------
    >>> read_target("z1**2", "target.function")
    z**2
    >>> read_target("z + z*z2", "target.function")
    z1*z2 + z1
    """
    first, *others = projections
    if isinstance(text, str) and not any(s.name in text for s in projections):
        return read_function(text, field)
    function = parse_function(text, field, (z, *projections))
    if not function.free_symbols & set(others):
        return read_function(function.subs(first, z), field)
    function = function.subs(z, first)
    try:
        for term in sp.Add.make_args(sp.expand(function)):
            _check_term(term)
    except ValueError as error:
        raise InputError(field, text, str(error)) from None
    return function


def _check_term(term: sp.Expr) -> None:
    """Refuse a product that may not be square integrable, or has kinks.

    Its factors may be functions of one variable each, whose products are functions of
    independent numbers, and bounded ones of all of them.
    """
    alone: dict[sp.Symbol, sp.Expr] = {}
    for factor in sp.Mul.make_args(term):
        variables = factor.free_symbols
        if len(variables) == 1:
            (variable,) = variables
            alone[variable] = alone.get(variable, sp.S.One) * factor
        elif variables:
            base, power = factor.as_base_exp()
            inside = base.args[0] if isinstance(base, BOUNDED) else None
            if not (
                power.is_Integer
                and power.is_positive
                and inside is not None
                and inside.is_polynomial(*variables)
            ):
                names = ", ".join(kind.__name__ for kind in BOUNDED)
                raise ValueError(
                    f"{factor} mixes its variables: give products of functions of one "
                    f"variable each, or {names} of a polynomial"
                )
    for variable, factor in alone.items():
        parts = pieces(factor.subs(variable, z))
        if parts.breaks:
            raise ValueError(
                f"{factor} has a kink or a jump; several projections are solved for "
                "smooth functions"
            )
        require_finite(parts)
        require_square_integrable(parts, sp.S.One)
        strip(parts.branches[0])

"""Which functions can serve as activation or target, and why others cannot."""

from collections.abc import Sequence

import sympy as sp

from detequiv.theory.errors import InputError
from detequiv.theory.functions.analyticity import require_finite, strip
from detequiv.theory.functions.expressions import parse_function
from detequiv.theory.functions.growth import require_square_integrable
from detequiv.theory.functions.pieces import KINKED, pieces

__all__ = ["read_function"]


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

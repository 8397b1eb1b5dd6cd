r"""Labels of -1 and 1, by what they are on average.

A label has the mean ``S(a)`` given the target's projection ``a = <w*, x>``, and the
variance ``1 - S(a)^2``. Ridge regression sees nothing else of its law:

.. math::

   y = \mathrm{sign}(f_*(a) + \sqrt\Delta\,\xi): \quad
   S = \mathrm{erf}\bigl(f_*(a)/\sqrt{2\Delta}\bigr), \qquad
   P(y = 1) = \frac{1}{1 + e^{-\text{slope}\, f_*(a)}}: \quad
   S = \tanh\bigl(\text{slope}\, f_*(a)/2\bigr).
"""

from typing import Any

import sympy as sp

from detequiv.theory.errors import InputError, is_name
from detequiv.theory.functions import exact, pieces, read_function, sign, z

__all__ = ["LABELS", "mean_label", "read_labels"]

LABELS = ("none", "sign", "logit")


def mean_label(
    function: sp.Expr, labels: str, noise: sp.Expr, slope: sp.Expr | None
) -> sp.Expr:
    """Mean of the labels given ``<w*, x> = z``, an expression in z.

    Examples
    --------
    >>> mean_label(z, "sign", sp.S.Zero, None), mean_label(z, "logit", sp.S.Zero, 3)
    (sign(z), tanh(3*z/2))
    """
    if labels == "logit":
        return sp.tanh(slope * function / 2)
    if labels == "sign":
        return sp.erf(function / noise / sp.sqrt(2)) if noise else sp.sign(function)
    return function


def read_labels(
    function: sp.Expr, labels: str, noise: sp.Expr, slope: Any
) -> sp.Expr | None:
    """Check that labels can be made, and read their slope.

    Parameters
    ----------
    function : Expr
        g, in z.
    labels : str
        One of `LABELS`.
    noise : Expr
        Standard deviation.
    slope : number or None
        Of ``"logit"`` labels.

    Raises
    ------
    InputError
        An unknown name; a slope that is missing, not positive, or of labels that have
        none; noise beside a slope; labels that would be 0.
    """
    if not is_name(labels, LABELS):
        raise InputError(
            "target.labels", labels, f"give one of {', '.join(map(repr, LABELS))}"
        )
    if labels == "none":
        if slope is not None:
            raise InputError("target.slope", slope, "is that of labels = 'logit'")
        return None
    if labels == "sign":
        if slope is not None:
            raise InputError(
                "target.slope", slope, "is that of labels = 'logit', not of 'sign'"
            )
        number = None
    else:
        if slope is None:
            raise InputError("target.slope", "(missing)", "labels = 'logit' need it")
        number = exact(slope, "target.slope")
        if sign(number) <= 0:
            raise InputError("target.slope", slope, "must be positive")
        if not noise.is_zero:
            raise InputError(
                "target.noise", noise, "must be 0 with labels = 'logit': slope is noise"
            )
    mean = mean_label(function, labels, noise, number)
    read_function(mean, "target.function")
    if labels == "sign" and noise.is_zero:
        # a number is a function too
        if any(branch.is_zero for branch in pieces(mean + 0 * z).branches):
            raise InputError(
                "target.function",
                function,
                "vanishes on an interval, where sign labels are neither -1 nor 1; "
                "give target.noise",
            )
    return number

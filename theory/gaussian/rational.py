r"""Gaussian averages of a polynomial over a quadratic one, by the error function.

With r and its conjugate the roots of ``a + b x + c x^2 > 0`` and ``Im r > 0``,

.. math::

   E \frac1{x - r} = i \sqrt{\frac\pi2}\; e^{-r^2/2}\,
     \mathrm{erfc}\Bigl(-\frac{i r}{\sqrt2}\Bigr), \qquad
   \frac1{a + b x + c x^2} = \frac1{c\, \mathrm{Im}\, r}\, \mathrm{Im} \frac1{x - r},

and polynomial division leaves nothing else but Gaussian moments.
"""

import sympy as sp

from detequiv.theory.functions import z

__all__ = ["quadratic_mean"]


def quadratic_mean(numerator: sp.Expr, denominator: sp.Expr) -> sp.Expr:
    """Average ``numerator / denominator`` over a standard Gaussian z.

    Parameters
    ----------
    numerator : Expr
        A polynomial in z.
    denominator : Expr
        A polynomial of degree 2 in z, positive for every real z.

    Returns
    -------
    Expr
        In exponentials and error functions; of complex arguments where the
        denominator is not even.

    Examples
    --------
    >>> quadratic_mean(sp.S.One, 2 + z**2).equals(
    ...     sp.sqrt(sp.pi) * sp.E * sp.erfc(1) / 2
    ... )
    True
    """
    above, below = sp.Poly(numerator, z), sp.Poly(denominator, z)
    quotient, rest = sp.div(above, below)
    total = sp.S.Zero
    for (k,), coefficient in quotient.terms():
        if k % 2 == 0:
            total += coefficient * (sp.factorial2(k - 1) if k else 1)
    c, b, a = below.all_coeffs()
    slope, constant = rest.nth(1), rest.nth(0)
    if b == 0:
        # the odd part averages to nothing
        distance = sp.sqrt(a / c)
        mean = sp.sqrt(sp.pi / 2) * sp.exp(distance**2 / 2)
        return total + constant * mean * sp.erfc(distance / sp.sqrt(2)) / (c * distance)
    root = -b / (2 * c) + sp.I * sp.sqrt(a / c - b**2 / (4 * c**2))
    pole = sp.I * sp.sqrt(sp.pi / 2) * sp.exp(-(root**2) / 2)
    pole *= sp.erfc(-sp.I * root / sp.sqrt(2))
    # (slope z + constant) / |z - r|^2 is the imaginary part of a multiple of 1/(z - r)
    return total + sp.im((slope * root + constant) * pole) / (c * sp.im(root))

"""Averages over a quadratic polynomial, against quadrature to 50 digits."""

import mpmath
import pytest
import sympy as sp

from detequiv.theory.functions import z
from detequiv.theory.gaussian.rational import quadratic_mean


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [
        (sp.S.One, 2 + z**2),
        (3 + z**4, sp.Rational(1, 3) + 5 * z**2),
        (1 + z, 2 - z + z**2),
        (z**5 - z**2 + 1, 3 + z + z**2 / 7),
    ],
)
def test_closed_forms_equal_quadrature(
    numerator: sp.Expr, denominator: sp.Expr
) -> None:
    found = quadratic_mean(numerator, denominator)
    with mpmath.workdps(60):
        f = sp.lambdify(z, numerator / denominator, "mpmath")
        density = mpmath.npdf
        panels = [-mpmath.inf, *range(-12, 13, 2), mpmath.inf]
        expected = mpmath.quad(lambda x: f(x) * density(x), panels)
        value = mpmath.mpmathify(sp.N(found, 60))
        assert abs(value.real - expected) < mpmath.mpf(10) ** -50
        assert abs(value.imag) < mpmath.mpf(10) ** -50

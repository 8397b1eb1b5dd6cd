r"""Special functions of Gaussian averages that SymPy lacks, or evaluates badly."""

from functools import lru_cache
from itertools import pairwise
from typing import Any

import mpmath
import sympy as sp

from detequiv.theory.functions import hermite_polynomial, pieces, z
from detequiv.theory.precision import binary_digits

__all__ = ["GaussianMean", "NormalCdf", "OwenT", "density"]

_STEP = 64  # bits, to which the precision of an average is rounded up


def density(x: sp.Expr) -> sp.Expr:
    """Write the standard normal density at x."""
    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


class NormalCdf(sp.Function):
    r"""Standard normal distribution function :math:`\Phi`.

    SymPy's ``erfc(-z)`` rewrites itself to ``2 - erfc(z)``, which loses the tail;
    this function leaves its evaluation to the numerics.
    """

    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """Evaluate at the three points where the value is rational."""
        return {sp.S.Zero: sp.S.Half, sp.oo: sp.S.One, -sp.oo: sp.S.Zero}.get(x)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate: the standard normal density."""
        return density(self.args[0])

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return (sp.erfc(-self.args[0] / sp.sqrt(2)) / 2)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return rf"\Phi{power}\left({printer._print(self.args[0])}\right)"


class OwenT(sp.Function):
    r"""Owen's T function, the probability of a wedge under a plane Gaussian.

    .. math:: T(h, a) = \frac{1}{2\pi} \int_0^a \frac{e^{-h^2 (1 + x^2)/2}}{1 + x^2} dx
    """

    is_real = True

    @classmethod
    def eval(cls, h: sp.Expr, a: sp.Expr) -> sp.Expr | None:
        """Evaluate where an argument vanishes, and on the diagonal."""
        if a.is_zero:
            return sp.S.Zero
        if a == 1:
            return NormalCdf(h) * NormalCdf(-h) / 2
        if h.is_zero:
            return sp.atan(a) / (2 * sp.pi)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate under the integral."""
        h, a = self.args
        if argindex == 1:
            return density(h) * (sp.S.Half - NormalCdf(a * h))
        return sp.exp(-(h**2) * (1 + a**2) / 2) / (2 * sp.pi * (1 + a**2))

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        h, a = (x._eval_evalf(prec + 10) for x in self.args)
        if not (h.is_Float and a.is_Float):
            return None
        with binary_digits(prec + 10):
            square = mpmath.mpf(h) ** 2 / 2
            value = mpmath.quad(
                lambda x: mpmath.exp(-square * (1 + x * x)) / (1 + x * x),
                [0, mpmath.mpf(a)],
            )
            return sp.Float(value / (2 * mpmath.pi), precision=prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        h, a = map(printer._print, self.args)
        return rf"T{power}\left({h}, {a}\right)"


class GaussianMean(sp.Function):
    r"""The unevaluated average :math:`E_g He_k(g) f(\rho g + m)`, g standard normal.

    ``GaussianMean(Lambda(z, f), m, rho, k)``. Derivatives by m and rho are averages
    of the same kind, by Stein's lemma, whether or not f is smooth.

    Examples
    --------
    >>> GaussianMean(sp.Lambda(z, sp.tanh(z) ** 2), 0, 1, 0).n(10)
    0.3942944904
    """

    is_real = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Differentiate by m (2) or rho (3)."""
        function, m, rho, k = self.args
        higher = GaussianMean(function, m, rho, k + argindex - 1)
        return higher / rho if argindex == 2 else (higher + k * self) / rho

    def _eval_subs(self, old: sp.Expr, new: sp.Expr) -> sp.Expr:
        """Leave the averaged function alone: its variable is bound."""
        function, *others = self.args
        return self.func(function, *(a._subs(old, new) for a in others))

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        if self.free_symbols or not self.args[-1].is_Integer:
            return None
        wide = -(-prec // _STEP) * _STEP
        return sp.Float(_mean(*self.args, wide), precision=prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        function, m, rho, k = self.args
        inside = printer._print(function.expr.subs(z, rho * sp.Symbol("gamma") + m))
        hermite = "" if k == 0 else rf"He_{{{printer._print(k)}}}(\gamma)\, "
        power = f"^{{{exp}}}" if exp else ""
        return rf"\mathbb{{E}}_\gamma{power}\left[{hermite}{inside}\right]"


@lru_cache(maxsize=256)
def _mean(
    function: sp.Lambda, m: sp.Expr, rho: sp.Expr, k: sp.Expr, prec: int
) -> sp.Float:
    """Average to so many bits; remembered, for expressions ask for it repeatedly."""
    with binary_digits(prec + 20):
        centre, width = (mpmath.mpf(x._eval_evalf(prec + 20)) for x in (m, rho))
        parts = pieces(function.expr)
        kinks = [mpmath.mpf(b._eval_evalf(prec + 20)) for b in parts.breaks]
        ends = [-mpmath.inf, *kinks, mpmath.inf]
        weight = hermite_polynomial(int(k), (z - centre) / width) * sp.exp(
            -(((z - centre) / width) ** 2) / 2
        )
        total = mpmath.mpf(0)
        for branch, (left, right) in zip(parts.branches, pairwise(ends), strict=True):
            total += _integral(branch, weight, left, right, centre, width)
        return sp.Float(total / (width * mpmath.sqrt(2 * mpmath.pi)), precision=prec)


def _integral(
    branch: sp.Expr, weight: sp.Expr, left: Any, right: Any, centre: Any, width: Any
) -> Any:
    """Integrate a branch on the part of its interval that a Gaussian reaches."""
    radius = width * mpmath.sqrt(2 * mpmath.mp.prec * mpmath.log(2)) * 2
    left, right = max(left, centre - radius), min(right, centre + radius)
    if left >= right:
        return mpmath.mpf(0)
    value = sp.lambdify(z, branch, "mpmath")
    gaussian = sp.lambdify(z, weight, "mpmath")
    panels = mpmath.linspace(left, right, int((right - left) / width) + 2)
    return mpmath.quad(lambda x: value(x) * gaussian(x), panels)

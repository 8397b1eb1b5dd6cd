"""Which of the groups' mean features are linearly independent functions of kappa.

Equal groups, an odd activation without spike, or more groups than a polynomial has
coefficients make the functions ``c0_q(kappa)`` dependent. A dependence is found only
where it is an identity between exact coefficients.
"""

import sympy as sp

from detequiv.theory.functions import z
from detequiv.theory.gaussian import NormalCdf, m, rho
from detequiv.theory.problem.conditionals import FeatureLaw, kappa

__all__ = ["spanning_groups"]

_CONSTANT = sp.Symbol("constant", positive=True)


def spanning_groups(law: FeatureLaw) -> tuple[int, ...]:
    """Find groups whose mean features span those of all groups.

    The others are proved to be linear combinations of these. That the ones returned
    are independent is not proved here.

    Examples
    --------
    >>> from detequiv.theory.problem import feature_law
    >>> from detequiv.theory.problem import Problem, Ridge, SpikedFeatures, Target
    >>> features = SpikedFeatures(activation="z**2", spike=[1, 2, 3, -1])
    >>> ridge = Ridge(samples_per_dim=1, width_per_dim=1, penalty=1)
    >>> problem = Problem(features=features, target=Target(function="z"), ridge=ridge)
    >>> spanning_groups(feature_law(problem))
    (0, 1)
    """
    columns = [
        _coordinates(law, u, r) for u, r in zip(law.spikes, law.bulks, strict=True)
    ]
    atoms = sorted({a for c in columns for a in c}, key=sp.default_sort_key)
    if not atoms:
        return ()
    matrix = sp.Matrix([[c.get(a, 0) for c in columns] for a in atoms])
    _, pivots = matrix.rref(iszerofunc=_is_zero)
    return tuple(pivots)


def _is_zero(number: sp.Expr) -> bool:
    return number == 0 or number.equals(0) is True


def _coordinates(
    law: FeatureLaw, spike: sp.Expr, scale: sp.Expr
) -> dict[sp.Expr, sp.Expr]:
    """Write c0 of a group as a combination of functions of kappa."""
    if law.activation.c0 is None:
        return _by_symmetry(law.activation.function, spike, scale)
    mean = law.activation.c0.subs({m: spike * kappa, rho: scale}, simultaneous=True)
    mean = mean.replace(NormalCdf, _forward)
    coordinates: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(mean)):
        constant, function = term.as_independent(kappa)
        coordinates[function] = coordinates.get(function, sp.S.Zero) + constant
    return coordinates


def _forward(x: sp.Expr) -> sp.Expr:
    """Distribution function at x or -x, the same for both."""
    return 1 - NormalCdf(-x) if x.could_extract_minus_sign() else NormalCdf(x)


def _by_symmetry(
    function: sp.Expr, spike: sp.Expr, scale: sp.Expr
) -> dict[sp.Expr, sp.Expr]:
    """Coordinates where nothing but the parity of the activation is known."""
    mirrored = function.subs(z, -z)
    odd, even = (_is_zero(sp.expand(mirrored + s * function)) for s in (1, -1))
    if spike.is_zero:
        # a number, taken not to vanish unless it must
        return {} if odd else {_CONSTANT: sp.Symbol(f"mean_{scale}", positive=True)}
    size, sign = (abs(spike), sp.sign(spike)) if odd or even else (spike, 1)
    name = sp.Function("mean")(size, scale)
    return {name: sp.sympify(sign if odd else 1)}

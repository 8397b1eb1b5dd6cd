"""Spectra known in closed or polynomial form, at any precision: the oracles.

All are laws of the eigenvalues of Phi^T Phi / n, by their Stieltjes transforms
``s(z) = (1/p) tr (Phi^T Phi / n - z)^{-1}``, ``alpha = n/d``, ``beta = p/d``.
"""

from collections.abc import Callable

import mpmath as mp

__all__ = ["marchenko_pastur", "random_features", "wishart_product"]

Transform = Callable[[mp.mpc], mp.mpc]


def marchenko_pastur(alpha: mp.mpf, beta: mp.mpf, variance: mp.mpf) -> Transform:
    """Entries of Phi independent of that variance (Marchenko and Pastur 1967)."""
    y = beta / alpha

    def s(z: mp.mpc) -> mp.mpc:
        lower, upper = (variance * (1 + sign * mp.sqrt(y)) ** 2 for sign in (-1, 1))
        root = mp.sqrt(z - lower) * mp.sqrt(z - upper)
        return (variance * (1 - y) - z + root) / (2 * variance * y * z)

    return s


def wishart_product(alpha: mp.mpf, beta: mp.mpf) -> Transform:
    """``Phi = X W^T``: free product of two Marchenko-Pastur laws, by S-transforms.

    ``psi = -1 - z s_d(z)`` of the d x d matrix obeys
    ``z psi = beta (1 + psi) (1 + psi/alpha) (1 + psi/beta)``.
    """

    def psi(z: mp.mpc) -> list[mp.mpf]:
        a, b = 1 / alpha, 1 / beta
        return [
            beta * a * b,
            beta * (a + b + a * b),
            beta * (1 + a + b) - z,
            beta,
        ]

    def s(z: mp.mpc) -> mp.mpc:
        root = follow_root(psi, z, start=mp.mpc(0))
        return (-(1 + root) / z) / beta - (1 - 1 / beta) / z

    return s


def random_features(
    alpha: mp.mpf, beta: mp.mpf, linear: mp.mpf, rest: mp.mpf
) -> Transform:
    """Unspiked features: the quartic of Pennington and Worah (2017), theorem 1.

    `linear` is c1^2, `rest` is cs. With ``t = 1/(psi z)``, ``phi = 1/alpha``,
    ``psi = 1/beta``: ``P = 1 + cs t P_phi P_psi + c1^2 t P_phi P_psi /
    (1 - c1^2 t P_phi P_psi)``, ``P_phi = 1 + (P-1) phi``, ``P_psi = 1 + (P-1) psi``
    and ``-s(z) = psi/z P + (1 - psi)/z``.
    """
    phi, psi = 1 / alpha, 1 / beta

    def quartic(z: mp.mpc) -> list[mp.mpf]:
        t = 1 / (psi * z)
        # in e = P - 1: q = P_phi P_psi is a quadratic
        q = [phi * psi, phi + psi, mp.mpf(1)]
        # (e - cs t q)(1 - c1^2 t q) - c1^2 t q
        left = [-rest * t * q[0], 1 - rest * t * q[1], -rest * t * q[2]]
        right = [-linear * t * q[0], -linear * t * q[1], 1 - linear * t * q[2]]
        product = [mp.mpc(0)] * 5
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                product[i + j] += a * b
        for i in range(3):
            product[i + 2] -= linear * t * q[i]
        return product

    def s(z: mp.mpc) -> mp.mpc:
        excess = follow_root(quartic, z, start=mp.mpc(0))
        return -(psi * (1 + excess) + 1 - psi) / z

    return s


def follow_root(
    polynomial: Callable[[mp.mpc], list[mp.mpf]], z: mp.mpc, start: mp.mpc
) -> mp.mpc:
    """Follow the root that is `start` at infinity down a vertical line to z."""
    root, height = start, mp.mpf(1000)
    while True:
        roots = mp.polyroots(
            polynomial(z + 1j * height), maxsteps=500, extraprec=2 * mp.mp.prec
        )
        root = min(roots, key=lambda r: abs(r - root))
        if height == 0:
            return root
        height = height * mp.mpf("0.5") if height > 1e-7 else mp.mpf(0)

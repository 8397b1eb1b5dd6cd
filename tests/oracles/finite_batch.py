"""A step on a finite batch, solved another way: damped iteration, differences, Gauss.

The equations are written with the matrix Z of the readout's prior and the posterior
covariance CC of (alpha, theta), not with determinants of affine matrices; averages are
Gauss-Hermite rules; total derivatives are differences of solved energies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

CROSS = [(i, 0) for i in range(-2, 3)] + [(0, j) for j in (-2, -1, 1, 2)]


def normal(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss rule of the standard normal law."""
    x, w = hermegauss(count)
    return x, w / w.sum()


@dataclass(frozen=True)
class FiniteBatch:
    """A network with a smooth activation and spherical rows, by numbers.

    Attributes
    ----------
    sigma, slope, target : callable
        Activation, its derivative and g.
    """

    sigma: Callable
    slope: Callable
    target: Callable
    readout: tuple
    step: float
    size: float
    noise: float
    alpha: float
    beta: float
    penalty: float
    nodes: int = 60

    def solve(self) -> tuple[float, float]:
        """Excess error and training error."""
        h, lam = 1e-4, self.penalty
        energy = {(i, j): self._energy(lam * (1 + i * h), j * h) for i, j in CROSS}

        def slope(u, v):
            near = energy[u, v] - energy[-u, -v]
            far = energy[2 * u, 2 * v] - energy[-2 * u, -2 * v]
            return (8 * near - far) / 12

        excess = slope(0, 1) / h - self.noise**2
        by_penalty = slope(1, 0) / (lam * h)
        training = (self.beta / self.alpha) * (energy[0, 0] - lam * by_penalty)
        return excess, training

    def __post_init__(self) -> None:
        z, w = normal(200)
        groups = len(self.readout)
        put = object.__setattr__
        a = self.step * np.array(self.readout, float)
        put(self, "a", a)
        s, ws = normal(self.nodes)
        n, wn = normal(40) if self.noise else (np.zeros(1), np.ones(1))
        fbar = np.mean(self.readout) * (w @ self.sigma(z))
        r = (self.target(s) - fbar)[:, None] + self.noise * n
        put(self, "r", r.ravel())
        put(self, "s", np.repeat(s, len(n)))
        put(self, "wr", np.outer(ws, wn).ravel())
        put(self, "pi", np.full(groups, 1 / groups))
        hermite = [z**0, z, z**2 - 1, z**3 - 3 * z, z**4 - 6 * z**2 + 3]
        mu = [w @ (self.sigma(z) * h) for h in hermite]
        tail = self.slope(z) - mu[1] - mu[2] * z
        v3 = w @ tail**2
        t1, t2, ts = (
            w @ (tail**2 * z),
            w @ (tail**2 * hermite[2]),
            w @ tail**3,
        )
        vzz = w @ (tail * z) ** 2 - mu[3] ** 2 - mu[4] ** 2 / 2
        vzs = w @ (tail**3 * z) - mu[3] * t1 - mu[4] * t2 / 2
        vss = w @ tail**4 - v3**2 - t1**2 - t2**2 / 2
        put(self, "mu", mu)
        put(self, "v3", v3)
        g1 = self.mean(self.r * self.s)
        r1, r2 = self.mean(self.r), self.mean(self.r**2)
        length = np.sqrt(g1**2 + r2 / self.size)
        put(self, "zeta", g1 / length)
        put(self, "length", length)
        h = 1 + a * mu[2] * r1
        rho = np.sqrt(h**2 + a**2 * r2 / self.size * (mu[2] ** 2 + v3))
        # the norm
        gamma, a0 = a * mu[2], self.size
        e1 = 2 * h * (gamma * mu[3] + a * t1)
        e2 = (mu[3] * gamma**2 + 2 * a * gamma * t1 + a**2 * ts) / a0
        zero = np.zeros(groups)
        put(
            self,
            "ell",
            [a * mu[3] * h / rho, a**2 / a0 * (mu[2] * mu[3] + t1 / 2) / rho, zero],
        )
        shared = [zero, a / (2 * a0) * e1 / rho, a / (2 * a0) * e2 / rho]
        put(self, "kap", shared)
        left = np.empty(groups)
        for q in range(groups):
            k = h[q] + gamma[q] * self.r / a0
            k2, k3, k4 = (
                gamma[q] ** j * self.mean(self.r**j) / a0 ** (j - 1) for j in (2, 3, 4)
            )
            c = a[q] * mu[4] * self.r * k + a[q] ** 2 * t2 * self.r**2 / (2 * a0)
            cross = self.mean(
                c * (2 * gamma[q] * self.r * h[q] / a0 + (gamma[q] * self.r / a0) ** 2)
            )
            total = 2 * (
                k4
                + 4 * k3 * h[q]
                + k2**2
                + 4 * k2 * h[q] ** 2
                + 2 * cross
                + self.mean(c**2) / a0
            )
            total += 4 * a[q] ** 2 * self.mean(self.r**2 * k**2) * vzz / a0
            total += 4 * a[q] ** 3 / a0**2 * self.mean(self.r**3 * k) * vzs
            total += a[q] ** 4 / a0**3 * self.mean(self.r**4) * vss
            total += 4 * a[q] ** 2 * r2 * v3 * k2 / a0
            total += 2 * a[q] ** 4 * v3**2 * r2**2 / a0**2
            left[q] = total / (4 * rho[q] ** 2)
        put(self, "left", left)
        # fields
        kappa, wk = normal(self.nodes)
        u = a * mu[1] * length
        seen = rho[:, None, None] * z + (u[:, None] * kappa)[:, :, None]
        value, bend = self.sigma(seen), self.slope(seen)
        c0, ct = value @ w, bend @ w
        put(self, "kappa", kappa)
        put(self, "wk", wk)
        put(self, "c0", c0)
        put(self, "ct", ct)
        put(self, "cs", value**2 @ w - c0**2 - (rho[:, None] * ct) ** 2)
        put(self, "bulk", (bend * z) @ w)  # dc0/drho
        rest = np.sqrt(1 - self.zeta**2)
        t = self.target(self.zeta * kappa[:, None] + rest * z)
        put(self, "tau0", t @ w)
        put(self, "tau1", t @ (w * z))
        put(self, "tau2", t**2 @ w - self.tau0**2 - self.tau1**2 + self.noise**2)

    def mean(self, values: np.ndarray) -> float:
        return self.wr @ values

    def _field(self, Q, V):
        """Matrices ``K_r (1 + Q K_r/alpha0)^{-1}``."""
        k = len(V)
        one = np.diag(self.a * self.mu[2])
        two = np.diag(self.v3 / self.size * self.a**2 * V)
        K = np.zeros((len(self.r), 2 * k, 2 * k))
        K[:, :k, k:] = K[:, k:, :k] = -self.r[:, None, None] * one
        K[:, k:, k:] = -((self.r**2)[:, None, None]) * two
        return K @ np.linalg.inv(np.eye(2 * k) + Q @ K / self.size)

    def _covariance(self, field, V, B):
        """CC of (alpha, theta), and A."""
        k = len(V)
        q11, q12, q22 = field[:k, :k], field[:k, k:], field[k:, k:]
        inverse, turn = np.linalg.inv(np.diag(1 / V) + q11), np.eye(k) - q12
        Z = -q22 + turn.T @ inverse @ turn
        A = Z @ np.linalg.inv(np.eye(k) + B @ Z)
        cross = inverse @ turn @ (np.eye(k) - B @ A)
        first = inverse + inverse @ turn @ (-B + B @ A @ B) @ turn.T @ inverse
        return np.block([[first, cross], [cross.T, A]]), A

    def _energy(self, lam: float, eps: float) -> float:
        k = len(self.a)
        none, one = np.zeros((k, k)), np.eye(k)
        g, field = np.full(k, 1 / lam), np.zeros((2 * k, 2 * k))
        A = np.diag(self.beta * self.pi * g)
        ratio = self.alpha / self.beta
        for _ in range(20000):
            V = self.beta * self.pi * g
            chi = (self.pi * g) @ self.cs
            chi = chi + np.einsum("qn,qr,rn->n", self.ct, A, self.ct) / self.beta
            weight = ratio / (1 + chi) + eps
            B = (self.ct * (self.wk * weight)) @ self.ct.T
            CC, A_new = self._covariance(field, V, B)
            D = np.block([[one, none], [none, -B]])
            N = np.block([[none, none], [none, B]])
            Q = D @ CC @ D - N
            Khat = self._field(Q, V)
            new = np.einsum("n,nij->ij", self.wr, Khat)
            inner = Q - Q @ Khat @ Q / self.size  # (1 + Q K/alpha0)^{-1} Q
            eta = np.einsum("n,nqq->q", self.wr * self.r**2, inner[:, k:, k:])
            own = lam + self.cs @ (self.wk * weight) + 1 / V
            own = own - np.diag(Q)[:k] / V**2 - self.v3 * self.a**2 / self.size * eta
            change = max(
                np.abs(1 / own / g - 1).max(),
                np.abs(A_new - A).max() / np.abs(A).max(),
                np.abs(new - field).max() / (1 + np.abs(field).max()),
            )
            g, A = (g + 1 / own) / 2, (A + A_new) / 2
            field = (field + new) / 2
            if change < 1e-14:
                break
        else:
            raise AssertionError(f"not converged: {change}")
        V = self.beta * self.pi * g
        C = self._prior(Q, field, V, B, CC, Khat, D, N)
        zero = np.zeros_like(self.ct)
        even = np.concatenate([self.c0, self.kappa * self.ct, zero, self.bulk])
        odd = np.concatenate([0 * self.c0, zero, self.ct, zero])
        mass = self.wk * weight
        values, vectors = np.linalg.eigh((C + C.T) / 2)
        root = vectors * np.sqrt(np.maximum(values, 0))
        turn = np.block(
            [[np.eye(k), np.zeros((k, 3 * k))], [np.zeros((3 * k, k)), root]]
        )
        even, odd = turn.T @ even, turn.T @ odd
        rows = np.concatenate([even * np.sqrt(mass), odd * np.sqrt(mass)], axis=1).T
        right = np.concatenate([self.tau0 * np.sqrt(mass), self.tau1 * np.sqrt(mass)])
        pull = np.diag([0.0] * k + [1.0] * 3 * k)
        rows, right = np.concatenate([rows, pull]), np.append(right, np.zeros(4 * k))
        y = np.linalg.lstsq(rows, right, rcond=1e-13)[0]
        return ((right - rows @ y) ** 2).sum() + mass @ self.tau2

    def _prior(self, Q, field, V, B, CC, Khat, D, N):
        """C of (t, r, n)."""
        k, a0 = len(V), self.size
        Nt = np.diag([0.0] * k + [-1.0] * k)

        def mean(f):
            return np.einsum("n,nij->ij", self.wr * f, Khat) / a0

        psi = [self.r, self.r**2, self.r**3]
        n = [self.mean(self.s * f) for f in psi]
        star, _ = self._covariance(a0 * mean(self.s**2), V, B)
        Qs = D @ star @ D - N
        Lf, Rt = CC @ D - Nt, D @ CC - Nt
        U = [Lf @ mean(self.s * f) for f in psi]
        W = [mean(self.s * f) @ Rt for f in psi]
        Ls, Rs = star @ D - Nt, D @ star - Nt
        block = {("w", "w"): star}
        inner = {("w", "w"): 1.0}
        for i, f in enumerate(psi):
            block["w", i] = n[i] * star - Ls @ W[i]
            block[i, "w"] = block["w", i].T
            inner["w", i] = inner[i, "w"] = n[i]
            for j, h in enumerate(psi):
                both = self.mean(f * h)
                block[i, j] = (both * CC - Lf @ mean(f * h) @ Rt) / a0
                block[i, j] = block[i, j] + n[i] * n[j] * star - n[i] * Ls @ W[j]
                block[i, j] = block[i, j] - n[j] * U[i] @ Rs + U[i] @ Qs @ W[j]
                inner[i, j] = n[i] * n[j] + both / a0
        rest = np.sqrt(1 - self.zeta**2)
        unit = np.eye(k)
        coordinates = [
            {0: unit / self.length},
            {"w": unit / rest, 0: -self.zeta / self.length / rest * unit},
        ]
        ell = {i: np.diag(v) for i, v in enumerate(self.ell)}
        kap = {i: np.diag(V * v) for i, v in enumerate(self.kap)}
        al, th = slice(0, k), slice(k, 2 * k)

        def pair(left, rows, right, columns):
            return sum(
                p.T @ block[i, j][rows, columns] @ q
                for i, p in left.items()
                for j, q in right.items()
            )

        def plain(left, right):
            return sum(
                p.T @ q * inner[i, j] for i, p in left.items() for j, q in right.items()
            )

        def with_eta(left, rows):
            """Block of the left with ``j . eta``, eta = -B theta + noise."""
            across = sum(
                p.T @ block[i, j][rows, th] @ B @ q
                for i, p in left.items()
                for j, q in kap.items()
            )
            return (plain(left, kap) if rows == th else 0) - across

        S = np.zeros((3 * k, 3 * k))
        for x in range(2):
            for y in range(2):
                S[x * k : x * k + k, y * k : y * k + k] = pair(
                    coordinates[x], th, coordinates[y], th
                )
            S[x * k : x * k + k, 2 * k :] = pair(coordinates[x], th, ell, al)
            S[x * k : x * k + k, 2 * k :] += with_eta(coordinates[x], th)
            S[2 * k :, x * k : x * k + k] = S[x * k : x * k + k, 2 * k :].T
        cross = with_eta(ell, al)
        both = sum(
            p.T @ (B @ block[i, j][th, th] @ B - B * inner[i, j]) @ q
            for i, p in kap.items()
            for j, q in kap.items()
        )
        S[2 * k :, 2 * k :] = pair(ell, al, ell, al) + cross + cross.T + both
        S[2 * k :, 2 * k :] += np.diag(V * self.left)
        BB = np.zeros((3 * k, 3 * k))
        BB[:k, :k] = BB[k : 2 * k, k : 2 * k] = B
        return S @ np.linalg.inv(np.eye(3 * k) - BB @ S)

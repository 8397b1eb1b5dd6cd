"""What a user would write without the package: NumPy and mpmath, one idea each."""

import mpmath as mp
import numpy as np


def damped_curve(
    alphas: np.ndarray, beta: float, ridge: float, spike: list[float]
) -> np.ndarray:
    """Trace of the tanh resolvent along alpha, by damped iteration to 1e-12."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / np.sqrt(2 * np.pi)
    groups = len(spike)
    values = np.tanh(nodes[None, :, None] + np.outer(spike, nodes)[:, None, :])
    c0 = np.einsum("g,qgk->qk", weights, values)
    c1 = np.einsum("g,qgk->qk", weights * nodes, values)
    cs = np.einsum("g,qgk->qk", weights, values**2) - c0**2 - c1**2
    pi, one = np.full(groups, 1 / groups), np.eye(groups)
    traces = []
    for alpha in alphas:
        g = np.full(groups, 1 / ridge)
        a = np.diag(beta * pi * g)
        for _ in range(100_000):
            chi = (pi * g) @ cs + np.einsum("qk,qr,rk->k", c1, a, c1) / beta
            w = weights * alpha / beta / (1 + chi)
            b = (c1 * w) @ c1.T
            v = np.diag(beta * pi * g)
            new_g = 1 / (ridge + cs @ w + np.diag(b @ np.linalg.inv(one + v @ b)))
            new_a = np.linalg.inv(np.linalg.inv(v) + b)
            change = max(np.abs(new_g / g - 1).max(), np.abs(new_a - a).max())
            g, a = (g + new_g) / 2, (a + new_a) / 2
            if change < 1e-12:
                break
        traces.append(pi @ g)
    return np.array(traces)


def mpmath_trace(
    alpha: mp.mpf, beta: mp.mpf, ridge: mp.mpf, spike: mp.mpf, digits: int
) -> mp.mpf:
    """Trace of the resolvent of one tanh group, by mp.quad and mp.findroot."""
    with mp.workdps(digits + 10):
        memory: dict[mp.mpf, tuple[mp.mpf, mp.mpf]] = {}
        ends = [-mp.mpf(16), -8, -4, -2, 0, 2, 4, 8, 16]

        def moments(kappa: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
            if kappa not in memory:
                f = {}
                for name, factor in (
                    ("c0", lambda g, s: s),
                    ("c1", lambda g, s: g * s),
                    ("c2", lambda g, s: s * s),
                ):
                    f[name] = mp.quad(
                        lambda g, factor=factor: (
                            mp.npdf(g) * factor(g, mp.tanh(g + spike * kappa))
                        ),
                        ends,
                    )
                memory[kappa] = f["c1"], f["c2"] - f["c0"] ** 2 - f["c1"] ** 2
            return memory[kappa]

        def average(integrand: object) -> mp.mpf:
            return mp.quad(lambda k: mp.npdf(k) * integrand(*moments(k)), ends)

        def equations(g: mp.mpf, a: mp.mpf) -> list[mp.mpf]:
            def weight(c1: mp.mpf, cs: mp.mpf) -> mp.mpf:
                return alpha / beta / (1 + g * cs + c1 * c1 * a / beta)

            b = average(lambda c1, cs: c1 * c1 * weight(c1, cs))
            d = ridge + average(lambda c1, cs: cs * weight(c1, cs))
            return [
                1 / g - d - b / (1 + beta * g * b),
                1 / a - 1 / (beta * g) - b,
            ]

        g, _ = mp.findroot(equations, (mp.mpf(1), mp.mpf("0.5")))
        return g

"""What a user would write without the package: NumPy and mpmath, one idea each."""

import mpmath as mp
import numpy as np

STEP = 1e-30  # of the source, off the real axis: complex steps cancel no digits


def damped_curve(
    alphas: np.ndarray, beta: float, ridge: float, spike: list[float], noise: float
) -> np.ndarray:
    """Test error of tanh features on z + He_2/2, by damped iteration to 1e-12."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / np.sqrt(2 * np.pi)
    groups = len(spike)
    values = np.tanh(nodes[None, :, None] + np.outer(spike, nodes)[:, None, :])
    c0 = np.einsum("g,qgk->qk", weights, values)
    c1 = np.einsum("g,qgk->qk", weights * nodes, values)
    cs = np.einsum("g,qgk->qk", weights, values**2) - c0**2 - c1**2
    functions, tau = np.concatenate([c0, nodes * c1]), nodes + (nodes**2 - 1) / 2
    pi, one = np.full(groups, 1 / groups), np.eye(groups)

    def size(change: np.ndarray) -> float:
        return max(np.abs(change.real).max(), np.abs(change.imag).max() / STEP)

    errors = []
    for alpha in alphas:
        g = np.full(groups, 1 / ridge) + 0j
        a = np.diag(beta * pi * g)
        for _ in range(100_000):
            chi = (pi * g) @ cs + ((a @ c1) * c1).sum(0) / beta
            w = weights * (alpha / beta / (1 + chi) + 1j * STEP)
            b = (c1 * w) @ c1.T
            v = np.diag(beta * pi * g)
            new_g = 1 / (ridge + cs @ w + np.diag(b @ np.linalg.inv(one + v @ b)))
            new_a = np.linalg.inv(np.linalg.inv(v) + b)
            change = max(size(new_g / g - 1), size(new_a - a))
            g, a = (g + new_g) / 2, (a + new_a) / 2
            if change < 1e-12:
                break
        normal = (functions * w) @ functions.T
        normal += np.diag(np.concatenate([np.zeros(groups), 1 / (beta * pi * g)]))
        fit = np.linalg.solve(normal, (functions * w) @ tau)
        energy = w @ ((tau - fit @ functions) * tau + noise**2)
        errors.append(energy.imag / STEP)
    return np.array(errors)


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

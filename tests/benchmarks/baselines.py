"""What a user would write without the package: NumPy and mpmath, one idea each."""

import time

import mpmath as mp
import numpy as np

STEP = 1e-30  # off the real axis: derivatives by complex steps cancel no digits


def damped_curve(
    alphas: np.ndarray,
    beta: float,
    ridge: float,
    spike: list[float],
    noise: float,
    by: str = "source",
) -> tuple[np.ndarray, np.ndarray]:
    """Energy of tanh features on z + He_2/2 along alpha, and its total derivative.

    By damped iteration to 1e-12, a point after the other. The derivative by the source
    is the test error, that by the ridge gives the training error.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / np.sqrt(2 * np.pi)
    groups = len(spike)
    values = np.tanh(nodes[None, :, None] + np.outer(spike, nodes)[:, None, :])
    c0 = np.einsum("g,qgk->qk", weights, values)
    c1 = np.einsum("g,qgk->qk", weights * nodes, values)
    cs = np.einsum("g,qgk->qk", weights, values**2) - c0**2 - c1**2
    functions, tau = np.concatenate([c0, nodes * c1]), nodes + (nodes**2 - 1) / 2
    pi, one = np.full(groups, 1 / groups), np.eye(groups)
    source = 1j * STEP if by == "source" else 0
    penalty = ridge + 1j * STEP if by == "ridge" else ridge

    def size(change: np.ndarray) -> float:
        return max(np.abs(change.real).max(), np.abs(change.imag).max() / STEP)

    energies = []
    for alpha in alphas:
        g = np.full(groups, 1 / ridge) + 0j
        a = np.diag(beta * pi * g)
        for _ in range(100_000):
            chi = (pi * g) @ cs + ((a @ c1) * c1).sum(0) / beta
            w = weights * (alpha / beta / (1 + chi) + source)
            b = (c1 * w) @ c1.T
            v = np.diag(beta * pi * g)
            new_g = 1 / (penalty + cs @ w + np.diag(b @ np.linalg.inv(one + v @ b)))
            new_a = np.linalg.inv(np.linalg.inv(v) + b)
            change = max(size(new_g / g - 1), size(new_a - a))
            g, a = (g + new_g) / 2, (a + new_a) / 2
            if change < 1e-12:
                break
        normal = (functions * w) @ functions.T
        normal += np.diag(np.concatenate([np.zeros(groups), 1 / (beta * pi * g)]))
        fit = np.linalg.solve(normal, (functions * w) @ tau)
        energies.append(w @ ((tau - fit @ functions) * tau + noise**2))
    return np.real(energies), np.imag(energies) / STEP


ENDS = -17, 0, 17  # of the averages; mp.quad takes fewest nodes on two panels


def mpmath_moments(kappa: mp.mpf, spike: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
    """c1 and cs of tanh at one kappa, by mp.quad."""
    c0, c1, c2 = (
        mp.quad(lambda g, f=f: mp.npdf(g) * f(g, mp.tanh(g + spike * kappa)), ENDS)
        for f in (lambda g, s: s, lambda g, s: g * s, lambda g, s: s * s)
    )
    return c1, c2 - c0**2 - c1**2


def mpmath_seconds(spike: mp.mpf, digits: int, samples: int = 4) -> float:
    """Least processor time of one tanh group's equations by mp.quad, not waited for.

    That of the moments on the nodes of one average over kappa: seconds a node, from
    some of the nodes, times their number. The nodes are those that mp.quad takes for
    an integrand as smooth. Newton's steps and all other averages are left out.
    """
    with mp.workdps(digits + 10):
        nodes: set[mp.mpf] = set()

        def integrand(kappa: mp.mpf) -> mp.mpf:
            nodes.add(kappa)
            return mp.npdf(kappa) / (2 + mp.tanh(spike * kappa))

        mp.quad(integrand, ENDS)
        some = sorted(nodes)[:: max(1, len(nodes) // samples)]
        begin = time.process_time()
        for kappa in some:
            mpmath_moments(kappa, spike)
        return (time.process_time() - begin) * len(nodes) / len(some)

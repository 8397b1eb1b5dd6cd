"""What every module that is written out has in common, as Python source.

A module checks itself: it solves on two rules, one of which halves all panels of the
other, iterating once downwards and once upwards, and prints what the two agree on.
"""

__all__ = ["AVERAGE", "EQUATIONS", "MAIN", "QUADRATURE", "SPECIAL"]

EQUATIONS = '''\
"""{title}.

arXiv:2410.18938. Arrays: K groups, L latents, n nodes in kappa with weights of sum 1.
`fields` has the keys c0, c1, cs (K, n), h (L, K, n), tau0, tau1, tau2 (n,).
"""

import functools
import math

import numpy


def averages(g, A, fields, weights, alpha, beta, penalty, pi):
    """Evaluate V, chi, w, B and D."""
    c1, cs = fields["c1"], fields["cs"]
    V = beta * pi * g
    chi = (pi * g) @ cs + numpy.einsum("in,ij,jn->n", c1, A, c1) / beta
    w = alpha / beta / (1 + chi)
    B = (c1 * w * weights) @ c1.T
    D = penalty + cs @ (w * weights)
    return V, chi, w, B, D


def equations(g, A, fields, weights, alpha, beta, penalty, pi):
    """Evaluate both equations, in g (K,) and in A (K, K); zero at the solution."""
    V, _, _, B, D = averages(g, A, fields, weights, alpha, beta, penalty, pi)
    dressed = B @ numpy.linalg.inv(numpy.eye(len(g)) + V[:, None] * B)
    return (
        1 / g - D - numpy.diag(dressed),
        numpy.linalg.inv(A) - numpy.diag(1 / V) - B,
    )


def solve(
    fields, weights, alpha, beta, penalty, pi, rise=False, tolerance=1e-14, most=100_000
):
    """Iterate the equations from g = 1/penalty, A = V down or from 0 up."""
    g = numpy.full(len(pi), 0 if rise else 1 / penalty)
    A = numpy.diag(beta * pi * g)
    for _ in range(most):
        V, _, _, B, D = averages(g, A, fields, weights, alpha, beta, penalty, pi)
        dressed = B @ numpy.linalg.inv(numpy.eye(len(g)) + V[:, None] * B)
        before, g = g, 1 / (D + numpy.diag(dressed))
        A = numpy.linalg.inv(numpy.diag(1 / (beta * pi * g)) + B)
        if numpy.all(numpy.abs(g - before) < tolerance * g):
            return g, A
    raise RuntimeError(f"no solution to {{tolerance}} in {{most}} iterations")


def errors(g, A, fields, weights, alpha, beta, penalty, pi, noise):
    """Errors at the solution, by implicit differentiation; `noise` is a variance."""
    V, chi, w, _, _ = averages(g, A, fields, weights, alpha, beta, penalty, pi)
    c1, cs, h = fields["c1"], fields["cs"], fields["h"]
    tau0, tau1, tau2 = (fields[name] for name in ("tau0", "tau1", "tau2"))
    K, mean = len(g), w * weights

    F = numpy.concatenate([fields["c0"], h.reshape(-1, len(weights))])
    price = numpy.concatenate([numpy.zeros(K), numpy.tile(1 / V, len(h))])
    design = numpy.vstack([(numpy.sqrt(mean) * F).T, numpy.diag(numpy.sqrt(price))])
    right = numpy.concatenate([numpy.sqrt(mean) * tau0, numpy.zeros(len(price))])
    learned = numpy.linalg.lstsq(design, right, rcond=None)[0]
    r = A @ (c1 @ (mean * tau1))
    S = (tau0 - learned @ F) ** 2 + (tau1 - r @ c1) ** 2 + tau2
    squares = (learned[K:].reshape(-1, K) ** 2).sum(0) + r**2
    energy = mean @ S + squares @ (1 / V)

    rows, columns = numpy.triu_indices(K)
    inverse = numpy.linalg.inv(A)

    def moving(direction, by_source):
        """Read g' and A' from a direction; evaluate w' and V'."""
        dg, dA = direction[:K], numpy.zeros((K, K))
        dA[rows, columns] = dA[columns, rows] = direction[K:]
        dchi = (pi * dg) @ cs + numpy.einsum("in,ij,jn->n", c1, dA, c1) / beta
        return dg, dA, by_source - alpha / beta * dchi / (1 + chi) ** 2, beta * pi * dg

    def linear_equations(direction, by_source, by_penalty):
        dg, dA, dw, dV = moving(direction, by_source)
        in_g = dg / g**2 + by_penalty + cs @ (dw * weights)
        in_g -= (numpy.diag(dA) + dV) / V**2 - 2 * numpy.diag(A) * dV / V**3
        in_A = inverse @ dA @ inverse - numpy.diag(dV / V**2)
        in_A += (c1 * dw * weights) @ c1.T
        return numpy.concatenate([in_g, in_A[rows, columns]])

    def total_derivative(by_source, by_penalty):
        size = K + len(rows)
        matrix = [linear_equations(unit, 0, 0) for unit in numpy.eye(size)]
        right = -linear_equations(numpy.zeros(size), by_source, by_penalty)
        direction = numpy.linalg.solve(numpy.transpose(matrix), right)
        _, _, dw, dV = moving(direction, by_source)
        return (dw * weights) @ S - squares @ (dV / V**2)

    by_source, by_penalty = total_derivative(1, 0), total_derivative(0, 1)
    return {{
        "generalization_error": by_source,
        "training_error": beta / alpha * (energy - penalty * by_penalty),
        "excess_error": by_source - noise,
        "readout_norm": by_penalty,
        "ridge_objective": energy,
        "resolvent_trace": pi @ g,
    }}
'''

QUADRATURE = '''
LEGENDRE, SHARES = numpy.polynomial.legendre.leggauss(20)
MOST_CUTS = 1000


def halved(edges):
    """Cut all panels in two."""
    return numpy.sort(numpy.concatenate([edges, (edges[:-1] + edges[1:]) / 2]))


def gaussian_rule(mean=0.0, scale=1.0, breaks=(), level=0):
    """Nodes and weights for averages over a Gaussian, smooth between `breaks`.

    20 nodes a panel; each level has panels half as long.
    """
    breaks = numpy.asarray(breaks, float)
    near = breaks[numpy.abs(breaks - mean) < 10 * scale]
    edges = numpy.unique(numpy.append(mean + scale * numpy.linspace(-10, 10, 41), near))
    for _ in range(level):
        edges = halved(edges)
    edges = edges[:, None]
    half = numpy.diff(edges, axis=0) / 2
    nodes = (edges[:-1] + half * (1 + LEGENDRE)).ravel()
    density = numpy.exp(-(((nodes - mean) / scale) ** 2) / 2)
    return nodes, (half * SHARES).ravel() * density / (scale * math.sqrt(2 * math.pi))


def cuts(functions, edges, parts):
    """Where to halve panels until 20 nodes integrate functions (M, n) like `parts` 20.

    To 1e-13 of the largest of them on the panel that was cut first.
    """
    left, right, sizes, found = edges[:-1], edges[1:], None, edges[:0]

    def integrals(count):
        width = (right - left) / count
        starts = left + width * numpy.arange(count)[:, None]
        nodes = starts[:, :, None] + width[:, None] * (1 + LEGENDRE) / 2
        values = numpy.reshape(functions(nodes.ravel()), (-1, *nodes.shape))
        largest = numpy.abs(values).max((0, 1, 3))
        return largest * width, (values @ SHARES * width).sum(1)

    for _ in range(50):
        (_, coarse), (largest, fine) = integrals(1), integrals(parts)
        sizes = largest if sizes is None else sizes
        rough = (numpy.abs(coarse - fine) > 1e-13 * sizes).any(0)
        if not rough.any() or len(found) > MOST_CUTS:
            break
        left, right, sizes = left[rough], right[rough], numpy.tile(sizes[rough], 2)
        middle = (left + right) / 2
        found = numpy.append(found, middle)
        left, right = numpy.append(left, middle), numpy.append(middle, right)
    return found
'''

AVERAGE = '''

@functools.cache
def function_cuts(function, breaks, reach, panel):
    """Cut panels where the function changes within them."""
    edges = numpy.append(numpy.arange(-reach, reach + panel, panel), breaks)
    return numpy.append(breaks, cuts(function, numpy.unique(edges), 8))


def average(function, breaks, means, scale, level):
    """Average f, g f, (g^2 - 1) f and f^2 at scale g + mean, for every mean."""
    reach = 2.0 ** math.ceil(math.log2(numpy.abs(means).max() + 10 * scale))
    breaks = function_cuts(function, breaks, reach, scale / 2)
    rows = []
    for mean in means:
        nodes, weights = gaussian_rule(mean, scale, breaks, level)
        g, f = (nodes - mean) / scale, function(nodes)
        rows.append([weights @ v for v in (f, g * f, (g**2 - 1) * f, f**2)])
    return numpy.transpose(rows)
'''

SPECIAL = {
    "erf": "\n\nerf = numpy.vectorize(math.erf)\n",
    "normal_cdf": """

normal_cdf = numpy.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2)
""",
    "owen_t": '''

def owen_t(h, a):
    """Owen's T function, by its definition."""
    x, weights = numpy.polynomial.legendre.leggauss(60)
    h, a = numpy.asarray(h)[..., None], numpy.asarray(a)[..., None]
    square = 1 + (a * (1 + x) / 2) ** 2
    return a[..., 0] / 2 * (numpy.exp(-(h**2) * square / 2) / square @ weights) / (
        2 * math.pi
    )
''',
}

MAIN = '''

def functions(kappa, level=0):
    """Evaluate the functions of kappa."""
    groups = [activation_moments(u * kappa, rho, level) for u, rho in zip(SPIKE, BULK)]
    c0, c1, c2, second = (numpy.array(rows) for rows in zip(*groups))
    tau0, tau1, tau2 = target_fields(kappa, level)
    h = numpy.array(tangents(kappa, c1, c2))
    cs = second - c0**2 - c1**2
    values = {{"c0": c0, "c1": c1, "cs": cs, "h": h}}
    return values | {{"tau0": tau0, "tau1": tau1, "tau2": tau2}}


def results(breaks, level):
    """Solve on one rule; the equations are iterated downwards on every other."""
    kappa, weights = gaussian_rule(breaks=breaks, level=level)
    values = functions(kappa, level)
    rise = level % 2 == 1
    g, A = solve(values, weights, ALPHA, BETA, PENALTY, PI, rise)
    return errors(g, A, values, weights, ALPHA, BETA, PENALTY, PI, NOISE)


def agreed_results():
    """Solve on finer and finer rules; return results and the digits two agree on."""
    edges = numpy.unique(numpy.append(numpy.linspace(-10, 10, 41), {breaks}))

    def rows(kappa):
        values = functions(kappa).values()
        return numpy.vstack([v.reshape(-1, len(kappa)) for v in values])

    breaks = numpy.append({breaks}, cuts(rows, edges, 2))
    finer = results(breaks, 0)
    for level in (1, 2, 3):
        coarser, finer = finer, results(breaks, level)
        digits = {{}}
        for name, value in finer.items():
            gap = abs(coarser[name] - value) + 0.9e-12 * abs(value)
            digits[name] = 12 if gap == 0 else 0
            if 0 < gap < abs(value):
                digits[name] = math.floor(-math.log10(gap / abs(value)))
        if min(digits.values()) >= 11:
            break
    if min(digits.values()) < 4:
        raise SystemExit("two rules do not agree on 4 digits: no results")
    return finer, digits


if __name__ == "__main__":
    found, digits = agreed_results()
    for name, value in found.items():
        print(f"{{name:<22}} {{value:.{{digits[name]}}g}}")
'''

"""The equations of spiked random features as Python source that needs NumPy alone."""

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from detequiv.theory.functions import z
from detequiv.theory.gaussian import GaussianMean, Moments
from detequiv.theory.problem import FeatureLaw, Problem, c1, c2, kappa

__all__ = ["equations_source", "problem_source"]

EQUATIONS = '''\
"""{title}.

arXiv:2410.18938. Arrays: K groups, L latents, n nodes in kappa with weights of sum 1.
`fields` has the keys c0, c1, cs (K, n), h (L, K, n), tau0, tau1, tau2 (n,).
"""

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


def solve(fields, weights, alpha, beta, penalty, pi, tolerance=1e-14, most=100_000):
    """Iterate the equations from g = 1/penalty, A = V downwards; return g and A."""
    g = numpy.full(len(pi), 1 / penalty)
    A = numpy.diag(beta * pi * g)
    for _ in range(most):
        V, _, _, B, D = averages(g, A, fields, weights, alpha, beta, penalty, pi)
        dressed = B @ numpy.linalg.inv(numpy.eye(len(g)) + V[:, None] * B)
        before, g = g, 1 / (D + numpy.diag(dressed))
        A = numpy.linalg.inv(numpy.diag(1 / (beta * pi * g)) + B)
        if numpy.max(numpy.abs(g / before - 1)) < tolerance:
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

def gaussian_rule(mean=0.0, scale=1.0, breaks=()):
    """Nodes and weights for averages over a Gaussian, smooth between `breaks`."""
    edges = numpy.concatenate([mean + scale * numpy.linspace(-10, 10, 41), breaks])
    edges = numpy.unique(edges)[:, None]
    x, share = numpy.polynomial.legendre.leggauss(20)
    half = numpy.diff(edges, axis=0) / 2
    nodes = (edges[:-1] + half * (1 + x)).ravel()
    density = numpy.exp(-(((nodes - mean) / scale) ** 2) / 2)
    return nodes, (half * share).ravel() * density / (scale * math.sqrt(2 * math.pi))
'''

AVERAGE = '''

def average(function, breaks, means, scale):
    """Average f, g f, (g^2 - 1) f and f^2 at scale g + mean, for every mean."""
    rows = []
    for mean in means:
        nodes, weights = gaussian_rule(mean, scale, breaks)
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

@numpy.vectorize
def owen_t(h, a):
    """Owen's T function, by its definition."""
    x, weights = numpy.polynomial.legendre.leggauss(60)
    x = a * (1 + x) / 2
    return a / 2 * weights @ (numpy.exp(-(h**2) * (1 + x**2) / 2) / (1 + x**2)) / (
        2 * math.pi
    )
''',
}

MAIN = '''

def fields():
    """Evaluate the functions of kappa; return them and the weights of the nodes."""
    kappa, weights = gaussian_rule(breaks={breaks})
    groups = [activation_moments(u * kappa, rho) for u, rho in zip(SPIKE, BULK)]
    c0, c1, c2, second = (numpy.array(rows) for rows in zip(*groups))
    tau0, tau1, tau2 = target_moments(kappa)
    h = numpy.array(tangents(kappa, c1, c2))
    cs = second - c0**2 - c1**2
    values = {{"c0": c0, "c1": c1, "cs": cs, "h": h}}
    return values | {{"tau0": tau0, "tau1": tau1, "tau2": tau2}}, weights


if __name__ == "__main__":
    values, weights = fields()
    g, A = solve(values, weights, ALPHA, BETA, PENALTY, PI)
    found = errors(g, A, values, weights, ALPHA, BETA, PENALTY, PI, NOISE)
    for name, value in found.items():
        print(f"{{name:<22}} {{value:.12g}}")
'''


def equations_source(title: str) -> str:
    """Write the functions ``equations``, ``solve`` and ``errors``, for any numbers."""
    return EQUATIONS.format(title=title)


def problem_source(title: str, problem: Problem, law: FeatureLaw) -> str:
    """Write the same with the functions and the numbers of one problem."""
    ridge, body = problem.ridge, _moments_source("activation_moments", law.activation)
    if (law.alignment**2 - 1).is_zero:
        target = law.target.function.subs(z, law.alignment * kappa)
        values = f"{_code(target)}, 0 * kappa, NOISE + 0 * kappa"
        breaks = [b / law.alignment for b in law.target.kinks]
        moments = ""
    else:
        moments = _moments_source("averaged_target", law.target)
        spread = sp.sqrt(1 - law.alignment**2)
        seen = f"{_code(law.alignment)} * kappa, {_code(spread)}"
        values, breaks = "c0, c1, NOISE + second - c0**2 - c1**2", []
    body += moments + "\n\ndef target_moments(kappa):\n"
    body += '    """Evaluate tau0, tau1 and tau2."""\n'
    if moments:
        body += f"    c0, c1, _, second = averaged_target({seen})\n"
    body += f"    return {values}\n"
    body += _tangents_source(law)
    numbers = {
        "ALPHA": _code(ridge.samples_per_dim),
        "BETA": _code(ridge.width_per_dim),
        "PENALTY": _code(ridge.penalty),
        "NOISE": _code(law.noise_variance),
        "PI": f"numpy.array({_listed(law.weights)})",
        "SPIKE": _listed(law.spikes),
        "BULK": _listed(law.bulks),
    }
    text = "\n\n" + "".join(f"{name} = {value}\n" for name, value in numbers.items())
    text += QUADRATURE + (AVERAGE if "average(" in body else "")
    text += "".join(code for name, code in SPECIAL.items() if f"{name}(" in body)
    return equations_source(title) + text + body + MAIN.format(breaks=_listed(breaks))


def _moments_source(name: str, moments: Moments) -> str:
    """Write a function of (m, rho): its closed forms, averages where there are none."""
    closed = dict(
        zip(
            ("c0", "c1", "c2", "second"),
            (moments.c0, moments.c1, moments.c2, moments.second),
            strict=True,
        )
    )
    lines = [f"\n\ndef {name}(m, rho):", '    """Evaluate c0, c1, c2 and E f^2."""']
    if None in closed.values():
        breaks = _listed(moments.kinks)
        function = f"lambda z: {_code(moments.function)} + 0 * z"
        lines.append(f"    c0, c1, c2, second = average({function}, {breaks}, m, rho)")
    lines += [
        f"    {key} = {_code(value)} + 0 * m"
        for key, value in closed.items()
        if value is not None
    ]
    return "\n".join([*lines, "    return c0, c1, c2, second", ""])


def _tangents_source(law: FeatureLaw) -> str:
    """Write the tangent functions, latent after latent."""
    rows = [
        "["
        + ", ".join(
            _code(h.subs({c1: sp.Symbol(f"c1[{q}]"), c2: sp.Symbol(f"c2[{q}]")}))
            for q, h in enumerate(latent)
        )
        + "]"
        for latent in law.tangents
    ]
    inside = ",\n        ".join(rows)
    return (
        "\n\ndef tangents(kappa, c1, c2):\n"
        '    """Evaluate h, one row a latent, one column a group."""\n'
        f"    return [\n        {inside},\n    ]\n"
    )


class _Printer(NumPyPrinter):
    """Print with NumPy's functions; the special ones have names of their own."""

    def _print_Max(self, expr: sp.Expr) -> str:
        return self._nested("numpy.maximum", expr.args)

    def _print_Min(self, expr: sp.Expr) -> str:
        return self._nested("numpy.minimum", expr.args)

    def _nested(self, name: str, arguments: Sequence[sp.Expr]) -> str:
        first, *rest = (str(self._print(a)) for a in arguments)
        for other in rest:
            first = f"{name}({first}, {other})"
        return first

    def _print_Heaviside(self, expr: sp.Expr) -> str:
        return f"numpy.heaviside({self._print(expr.args[0])}, 0.5)"

    def _print_erf(self, expr: sp.Expr) -> str:
        return f"erf({self._print(expr.args[0])})"

    def _print_NormalCdf(self, expr: sp.Expr) -> str:
        return f"normal_cdf({self._print(expr.args[0])})"

    def _print_OwenT(self, expr: sp.Expr) -> str:
        return f"owen_t({', '.join(map(self._print, expr.args))})"


def _code(expression: Any) -> str:
    """Print an expression; averages that are numbers are printed as such."""
    value = sp.sympify(expression)
    known = {mean: mean.evalf(17) for mean in value.atoms(GaussianMean)}
    return str(_Printer({"precision": 17}).doprint(value.xreplace(known)))


def _listed(values: Sequence[sp.Expr]) -> str:
    return f"[{', '.join(map(_code, values))}]"

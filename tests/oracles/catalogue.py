"""The catalogue once more, by hand: every function in mpmath, with its breakpoints."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath as mp

Twin = tuple[Callable[[Any], Any], tuple[float, ...]]

TWINS: dict[str, Twin] = {
    "linear": (lambda x: x, ()),
    "relu": (lambda x: x if x > 0 else mp.mpf(0), (0,)),
    "leaky_relu(z, 1/10)": (lambda x: x if x > 0 else x / 10, (0,)),
    "abs": (abs, (0,)),
    "sign": (mp.sign, (0,)),
    "step": (lambda x: mp.mpf(x > 0), (0,)),
    "erf": (mp.erf, ()),
    "tanh": (mp.tanh, ()),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), ()),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), ()),
    "gelu": (lambda x: x * mp.ncdf(x), ()),
    "silu": (lambda x: x / (1 + mp.exp(-x)), ()),
    "sin": (mp.sin, ()),
    "cos": (mp.cos, ()),
    "exp": (mp.exp, ()),
    "sinh": (mp.sinh, ()),
    "cosh": (mp.cosh, ()),
    "sech": (mp.sech, ()),
    "sech2": (lambda x: mp.sech(x) ** 2, ()),
    "gaussian": (lambda x: mp.exp(-x * x / 2), ()),
    "he2": (lambda x: x * x - 1, ()),
    "he3": (lambda x: x**3 - 3 * x, ()),
    "He(6, z)": (lambda x: x**6 - 15 * x**4 + 45 * x**2 - 15, ()),
    "z**4 - z/3 + 2": (lambda x: x**4 - x / 3 + 2, ()),
    "sin(2*z) + z*cos(z)": (lambda x: mp.sin(2 * x) + x * mp.cos(x), ()),
    "z**2*exp(-2*z**2 + z)": (lambda x: x * x * mp.exp(-2 * x * x + x), ()),
    "exp(z**2/16)": (lambda x: mp.exp(x * x / 16), ()),
    "z*erf(z/2 - 1)": (lambda x: x * mp.erf(x / 2 - 1), ()),
    "exp(-z**2)*cos(3*z)": (lambda x: mp.exp(-x * x) * mp.cos(3 * x), ()),
    "max(z - 1, -2) + step(z + 3)*exp(z/2)": (
        lambda x: max(x - 1, mp.mpf(-2)) + (mp.exp(x / 2) if x > -3 else 0),
        (-3, -1),
    ),
    "abs(z**2 - 1)": (lambda x: abs(x * x - 1), (-1, 1)),
    "min(max(z, -1), 1)": (lambda x: min(max(x, mp.mpf(-1)), mp.mpf(1)), (-1, 1)),
}
"""Text of a function, its twin in mpmath, and where the twin is not smooth."""


def gaussian_mean(
    function: Callable[[Any], Any], kinks: tuple[float, ...], mean: Any, width: Any
) -> Any:
    """Average of `function` over N(mean, width^2), by quadrature."""
    radius = width * mp.sqrt(2 * mp.log(10) * (mp.mp.dps + 5)) * mp.mpf("1.5")
    inner = [mp.mpf(k) for k in kinks if mean - radius < k < mean + radius]
    breaks = [mean - radius, *inner, mean + radius]
    panels = [breaks[0]]
    for left, right in pairwise(breaks):
        count = int(mp.ceil((right - left) / (2 * width)))
        panels += mp.linspace(left, right, count + 1)[1:]

    def weighted(x: Any) -> Any:
        return function(x) * mp.exp(-(((x - mean) / width) ** 2) / 2)

    return mp.quad(weighted, panels) / (width * mp.sqrt(2 * mp.pi))

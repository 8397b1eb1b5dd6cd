"""The law of spiked features, for tests of the spectrum: neither target nor penalty."""

from typing import Any

import detequiv as de

__all__ = ["law"]


def law(
    activation: str,
    spike: Any = 0,
    *,
    alpha: Any = 2,
    beta: Any = "3/2",
    scale: str = "n",
    digits: int = 15,
    width: int = 1000,
    **features: Any,
) -> de.Law:
    """Spectrum at ``alpha = n/d`` and ``beta = p/d``; further features by name."""
    return de.spectrum(
        de.Problem(
            features=de.SpikedFeatures(activation=activation, spike=spike, **features),
            target=de.Target(function="z"),
            ridge=de.Ridge(samples_per_dim=alpha, width_per_dim=beta, penalty=1),
        ),
        scale=scale,
        digits=digits,
        width=width,
    )

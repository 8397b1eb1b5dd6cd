"""What a spectrum is described by, besides its density: ends and outliers."""

from dataclasses import dataclass

import mpmath

__all__ = ["Edge", "Interval", "Outlier", "Threshold"]


@dataclass(frozen=True)
class Edge:
    """An end of an interval of the support.

    Attributes
    ----------
    value : mpf
        Where it is; may be infinite.
    kind : str
        "regular", "soft" or "hard".
    """

    value: mpmath.mpf
    kind: str


@dataclass(frozen=True)
class Interval:
    """An interval of the support.

    Attributes
    ----------
    lower, upper : Edge
        Its ends.
    """

    lower: Edge
    upper: Edge


@dataclass(frozen=True)
class Outlier:
    """An eigenvalue outside the support at a given width.

    Attributes
    ----------
    value : float
        Where it is.
    order : str
        "1" or "p": how it grows with the width, at fixed proportions.
    width : int
        The width p.
    multiplicity : int
        How many eigenvalues it stands for.
    mean_overlaps : tuple of float
        For each group q, squared overlap of its eigenvector with the indicator of the
        group, the unit vector that is constant on the units of q and 0 elsewhere.
    latent_overlaps : tuple of float
        For each group, latent after latent, squared overlap with the unit vector of the
        latent in that group; in the pure spiked model it is along
        ``omega_j = <w_j, v>``.
    """

    value: float
    order: str
    width: int
    multiplicity: int
    mean_overlaps: tuple[float, ...]
    latent_overlaps: tuple[float, ...]


@dataclass(frozen=True)
class Threshold:
    """Where an outlier leaves the bulk as the spikes grow, at a given width.

    Attributes
    ----------
    scale : mpf
        What the spikes are multiplied by, or the step of a network.
    value : mpf
        Upper end of the bulk there, and place of the outlier.
    """

    scale: mpmath.mpf
    value: mpmath.mpf

"""The spectrum of a problem's features, as users meet it."""

from detequiv.numerics.spectrum import Spectrum
from detequiv.theory.problem import Problem

__all__ = ["Law", "spectrum"]


class Law(Spectrum):
    """Limit law of the eigenvalues of learned features."""


def spectrum(problem: Problem, *, scale: str = "n") -> Law:
    """Limit law of the eigenvalues of ``Phi^T Phi / n``.

    Parameters
    ----------
    problem : Problem
        The features, and the proportions n/d and p/d. Its ridge penalty and its
        target play no part.
    scale : {"n", "p"}
        What ``Phi^T Phi`` is divided by.

    Returns
    -------
    Law
        With methods ``density(x)`` and ``stieltjes(z)`` and the attribute
        ``atom_at_zero``, all in the scale that its attribute ``scale`` names.

    Raises
    ------
    InputError
        A scale that is neither "n" nor "p".

    Examples
    --------
    >>> from detequiv import Problem, Ridge, SpikedFeatures, Target
    >>> problem = Problem(
    ...     features=SpikedFeatures(activation="tanh", spike=["3/2", "-4/5"]),
    ...     target=Target(function="z"),
    ...     ridge=Ridge(samples_per_dim=2, width_per_dim="3/2", penalty=1),
    ... )
    >>> law = spectrum(problem)
    >>> law.scale, law.atom_at_zero
    ('Phi^T Phi / n', 0.0)
    >>> law.density([0.5, 1.0]).round(6)
    array([0.358583, 0.157566])
    """
    return Law(problem, scale=scale)

"""Verdicts on a theory: what may be said at a level stated in advance, and what not.

Every quantity is one test, that simulation less theory extrapolates to zero. Holm's
procedure holds the probability that a true theory is called wrong, anywhere, below the
level; the power says which errors of theory would have been seen. Agreement is claimed
only where an error of the stated size would have been.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot
from typing import Literal

import numpy as np
from scipy import optimize, stats

from detequiv.validation.statistics.extrapolation import Trend, fit_trend, p_value

__all__ = [
    "POWER",
    "Finding",
    "Judgement",
    "Measurement",
    "Verdict",
    "detectable_shift",
    "holm",
    "judge",
    "spend",
]

Verdict = Literal["agree", "disagree", "undecided"]

POWER = 0.9
"""Probability with which an error of the size called detectable is detected."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One quantity, theory and simulation at several dimensions.

    Attributes
    ----------
    name : str
        What was measured.
    theory : float
        Its value at infinite dimension.
    scale : float
        Positive size that relative errors of this quantity refer to, ``|theory|`` for
        most.
    dimensions : tuple of int, length L
        The d of the simulations.
    differences, standard_errors : tuple of float, length L
        Simulation less theory at each d, and its standard error.
    repetitions : tuple of int, length L
        Number of independent draws behind each of them.
    """

    name: str
    theory: float
    scale: float
    dimensions: tuple[int, ...]
    differences: tuple[float, ...]
    standard_errors: tuple[float, ...]
    repetitions: tuple[int, ...]

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the least known of the standard errors."""
        return min(self.repetitions) - 1


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found about one quantity.

    Attributes
    ----------
    measurement : Measurement
        The numbers it rests on.
    trend : Trend
        Their finite-size fit, with its statistical error.
    standard_error : float
        Of the extrapolated difference: the fit's, and the allowance for the first
        power of 1/d that it neglects. Where the fit is refuted by its own scatter it is
        widened by the Birge ratio, the square root of chi-square over its mean.
    p_value : float
        Probability of a ``|z|`` as large as this one, of this quantity alone, if theory
        is right.
    fits : bool
        Whether the draws' spread explains the scatter about the finite-size fit.
    detectable : float
        Smallest relative error of theory that is detected with probability `POWER`.
    verdict : str
        "agree", "disagree" or "undecided".
    """

    measurement: Measurement
    trend: Trend
    standard_error: float
    p_value: float
    fits: bool
    detectable: float
    verdict: Verdict

    @property
    def name(self) -> str:
        """What was measured."""
        return self.measurement.name

    @property
    def theory(self) -> float:
        """Theory at infinite dimension."""
        return self.measurement.theory

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Dimensions d that the finite-size fit rests on."""
        return self.measurement.dimensions

    @property
    def simulation(self) -> float:
        """Simulation carried to infinite dimension."""
        return self.theory + self.trend.intercept

    @property
    def z(self) -> float:
        """Simulation less theory over the standard error."""
        return self.trend.intercept / self.standard_error


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Verdict on all quantities together.

    Attributes
    ----------
    verdict : str
        "disagree" if one quantity does, else "undecided" if one is, else "agree".
    findings : tuple of Finding
        One a quantity.
    level : float
        Probability, at most, of "disagree" if theory is right.
    resolution : float
        Relative error of theory that must be detectable for a quantity to agree.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    level: float
    resolution: float


def judge(
    measurements: Sequence[Measurement],
    *,
    level: float,
    resolution: float,
    degrees: Sequence[int] = (1, 2),
) -> Judgement:
    """Judge a theory by all that was measured.

    Parameters
    ----------
    measurements : sequence of Measurement
        One a quantity, one at least.
    level : float
        Probability, over all quantities, of calling a right theory wrong.
    resolution : float
        Relative error of theory that must be detectable before agreement is claimed.
    degrees : sequence of int
        Degrees in 1/d from which the finite-size fit of each quantity is chosen: a low
        one has less noise, a high one neglects less.

    Returns
    -------
    Judgement
        A quantity disagrees when Holm's procedure rejects that its difference is zero.
        It is undecided when an error as large as `resolution` would have gone unseen,
        or when the finite-size fit is refuted.

    Raises
    ------
    ValueError
        A level or a resolution that is none, or too few draws or dimensions.
    """
    if not 0 < level < 1:
        raise ValueError(f"level = {level}: give a probability between 0 and 1")
    if not resolution > 0:
        raise ValueError(f"resolution = {resolution}: give a positive relative error")
    if not measurements:
        raise ValueError("measurements = []: one quantity at least")
    trends = [
        min(
            (
                fit_trend(m.dimensions, m.differences, m.standard_errors, degree)
                for degree in degrees
            ),
            key=lambda trend: trend.error,
        )
        for m in measurements
    ]
    fits = [p > level for p in holm([trend.goodness for trend in trends])]
    widened = [
        1.0 if fit else trend.birge_ratio
        for fit, trend in zip(fits, trends, strict=True)
    ]
    errors = [
        factor * trend.error for factor, trend in zip(widened, trends, strict=True)
    ]
    p_values = [
        p_value(trend.intercept / error, m.freedom)
        for trend, error, m in zip(trends, errors, measurements, strict=True)
    ]
    adjusted = holm(p_values)
    findings = []
    for i, m in enumerate(measurements):
        shift = detectable_shift(level / len(measurements), m.freedom)
        detectable = shift * widened[i] * _unlucky_error(trends[i]) / m.scale
        verdict: Verdict = "agree"
        if adjusted[i] <= level:
            verdict = "disagree"
        elif not fits[i] or detectable > resolution:
            verdict = "undecided"
        findings.append(
            Finding(
                measurement=m,
                trend=trends[i],
                standard_error=errors[i],
                p_value=p_values[i],
                fits=fits[i],
                detectable=detectable,
                verdict=verdict,
            )
        )
    return Judgement(
        verdict=_worst([one.verdict for one in findings]),
        findings=tuple(findings),
        level=level,
        resolution=resolution,
    )


def _unlucky_error(trend: Trend) -> float:
    """Error with as large an allowance as goes with the noise that hides a shift."""
    unlucky = float(stats.norm.ppf(POWER)) * trend.neglected_error
    return hypot(trend.standard_error, trend.neglected + unlucky)


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    order: tuple[Verdict, ...] = ("disagree", "undecided", "agree")
    return min(verdicts, key=order.index)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number: those below a level may be rejected together.

    The probability that any true hypothesis is rejected is then at most that level,
    however the tests depend on one another. Source: S. Holm, A simple sequentially
    rejective multiple test procedure, Scand. J. Statist. 6 (1979) 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    adjusted, largest = [0.0] * count, 0.0
    for rank, i in enumerate(sorted(range(count), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


@lru_cache(maxsize=256)
def detectable_shift(level: float, freedom: int) -> float:
    """Find the shift, in standard errors, that a two-sided test detects with `POWER`.

    Parameters
    ----------
    level : float
        Level of this one test; over m quantities a share 1/m of the whole is what
        Holm's procedure grants in the worst case.
    freedom : int
        Degrees of freedom of Student's law, at least 1.

    Examples
    --------
    >>> round(detectable_shift(0.05, 10**6), 3)
    3.242
    """
    if freedom < 1:
        raise ValueError(f"freedom = {freedom}: two draws at least in each dimension")
    threshold = float(stats.t.isf(level / 2, freedom))

    def excess(shift: float) -> float:
        return float(stats.nct.sf(threshold, freedom, shift)) - POWER

    return float(optimize.brentq(excess, 0.0, 10 * threshold + 10))


def spend(level: float, fractions: Sequence[float]) -> list[float]:
    """Share a level among looks at growing evidence, so that their sum is the level.

    A look taken when a fraction t of the budget is spent may have used up ``t level``.
    Whether to stop may depend on the looks; when they take place may not. Source: the
    linear spending function of K. Lan and D. DeMets, Biometrika 70 (1983) 659-663, with
    the union bound in place of the joint law of the looks.

    Parameters
    ----------
    level : float
        Probability of an error over all looks.
    fractions : sequence of float
        Fraction of the budget spent at each look, increasing, the last one 1.

    Examples
    --------
    >>> spend(0.01, [0.25, 0.5, 1])
    [0.0025, 0.0025, 0.005]
    """
    steps = np.diff([0.0, *fractions])
    if not (len(fractions) and np.all(steps > 0) and fractions[-1] == 1):
        raise ValueError(f"fractions = {list(fractions)}: must increase up to 1")
    return [float(level * step) for step in steps]

"""Judging differences: extrapolation in 1/d and verdicts."""

from detequiv.validation.statistics.extrapolation import Trend, fit_trend, p_value
from detequiv.validation.statistics.judgement import (
    POWER,
    Finding,
    Judgement,
    Measurement,
    Verdict,
    holm,
    judge,
    spend,
)

__all__ = [
    "POWER",
    "Finding",
    "Judgement",
    "Measurement",
    "Trend",
    "Verdict",
    "fit_trend",
    "holm",
    "judge",
    "p_value",
    "spend",
]

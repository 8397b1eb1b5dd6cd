"""Theory and simulation of one problem, set side by side."""

from detequiv.validation.trial.evidence import (
    Evidence,
    at_sizes,
    gather,
)
from detequiv.validation.trial.measured import (
    PROJECTIONS,
    QUANTITIES,
    learned_at,
    measured,
)
from detequiv.validation.trial.predict import (
    resolvent_of,
    trace_correction,
    width_corrections,
)
from detequiv.validation.trial.simulate import Elementwise, sampler, simulate, sizes
from detequiv.validation.trial.trial import (
    LEVEL,
    RESOLUTION,
    Trial,
    predict,
    tried,
    try_theory,
)

__all__ = [
    "LEVEL",
    "PROJECTIONS",
    "QUANTITIES",
    "RESOLUTION",
    "Elementwise",
    "Evidence",
    "Trial",
    "at_sizes",
    "gather",
    "learned_at",
    "measured",
    "predict",
    "resolvent_of",
    "sampler",
    "simulate",
    "sizes",
    "trace_correction",
    "tried",
    "try_theory",
    "width_corrections",
]

"""What every test starts from, and must leave behind."""

import os
from collections.abc import Iterator

import flint
import mpmath
import pytest
from hypothesis import settings

# Figures are drawn without a display.
os.environ.setdefault("MPLBACKEND", "agg")

# Equations are derived, not read from where another run may have kept them.
os.environ.setdefault("DETEQUIV_CACHE", "off")

# The same examples on every run, and no verdict that depends on the machine's speed.
settings.register_profile("ci", derandomize=True, deadline=None)
# New and many more ones: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", max_examples=2500, deadline=None)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def precision_is_scoped() -> Iterator[None]:
    """Fail a test after which the global working precision has changed."""
    before = mpmath.mp.prec, flint.ctx.prec
    yield
    after = mpmath.mp.prec, flint.ctx.prec
    mpmath.mp.prec, flint.ctx.prec = before
    assert after == before, "the precision of mpmath or flint leaks"

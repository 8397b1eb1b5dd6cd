"""Tables of comparisons, and the line that says what they come to."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from detequiv.validation.statistics import z_threshold

__all__ = ["new_table", "verdict"]


def new_table(title: str, *headings: str, named: int = 1) -> Table:
    """Start a table.

    Parameters
    ----------
    title : str
        Line above it.
    headings : str
        Of its columns.
    named : int
        How many columns, the first ones, hold text; the others hold numbers.
    """
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for k, heading in enumerate(headings):
        table.add_column(
            heading, justify="left" if k < named else "right", no_wrap=True
        )
    return table


def verdict(
    console: Console, scores: Sequence[float], *, level: float, draws: int, seed: int
) -> int:
    """Print whether intercepts may all be zero, and return the exit status.

    Parameters
    ----------
    console : Console
        Where to print.
    scores : sequence of float
        Each intercept over its standard error.
    level : float
        Probability, at most, that a disagreement is found where there is none
        (Bonferroni).
    draws : int
        The smallest number of draws that a standard error comes from.
    seed : int
        Of the draws.

    Returns
    -------
    int
        0 if they agree, 1 if some ``|z|`` is too large.
    """
    largest = max(map(abs, scores))
    threshold = z_threshold(level / len(scores), draws - 1)
    agree = largest <= threshold
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{largest:.2f}, threshold {threshold:.2f} (family-wise error probability "
        f"{level:g} over {len(scores)} intercepts), seed {seed}"
    )
    return 0 if agree else 1

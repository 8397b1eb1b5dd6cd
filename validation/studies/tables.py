"""Tables of comparisons, and the line that says what they come to."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from detequiv.validation.statistics import holm, p_value

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
        (Holm).
    draws : int
        The smallest number of draws that a standard error comes from.
    seed : int
        Of the draws.

    Returns
    -------
    int
        0 if they agree, 1 if some p-value is too small.
    """
    least = min(holm([p_value(z, draws - 1) for z in scores]))
    agree = least > level
    console.print(
        f"{'Agreement' if agree else 'DISAGREEMENT'}: largest |z| of an intercept "
        f"{max(map(abs, scores)):.2f}, p-value {least:.2g} over {len(scores)} "
        f"intercepts (family-wise error probability {level:g}), seed {seed}"
    )
    return 0 if agree else 1

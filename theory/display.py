"""How results show themselves: a table of one screen, as text and in a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Shown", "Tabular"]

WIDEST = 72  # characters of a cell
MOST_ROWS = 12


class Tabular(NamedTuple):
    """A title and a table under it.

    Attributes
    ----------
    title : str
        What is shown, in one line.
    rows : sequence of sequence of str
        Cells, of the same number in each row.
    header : sequence of str
        Names of the columns; empty for none.
    note : str
        What else there is to see, below the table.
    """

    title: str
    rows: Sequence[Sequence[str]]
    header: Sequence[str] = ()
    note: str = ""


class Shown(ABC):
    """What has a table to show for itself."""

    @abstractmethod
    def _table(self) -> Tabular:
        """Lay out the table."""

    def _lines(self) -> tuple[Tabular, list[list[str]], str]:
        """Rows that fit one screen, cells that fit a line, and the note below."""
        table = self._table()
        rows = [[_short(cell) for cell in row] for row in table.rows[:MOST_ROWS]]
        left = len(table.rows) - len(rows)
        notes = [f"and {left} more rows"] * (left > 0) + [table.note] * bool(table.note)
        return table, rows, "; ".join(notes)

    def __repr__(self) -> str:
        """Write the table in plain text."""
        table, rows, note = self._lines()
        header = [list(table.header)] * bool(table.header)
        columns = zip(*header, *rows, strict=True)
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  " + "  ".join(map(str.ljust, row, widths)).rstrip()
            for row in (*header, *rows)
        ]
        return "\n".join([table.title, *lines, *([note] if note else [])])

    def _repr_html_(self) -> str:
        """Write the table for a notebook."""
        table, rows, note = self._lines()
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(row[0])}</th>'
            + "".join(
                f'<td style="text-align:left">{escape(cell)}</td>' for cell in row[1:]
            )
            + "</tr>"
            for row in rows
        )
        return (
            f"<p><b>{escape(table.title)}</b></p><table>"
            + (f"<thead><tr>{head}</tr></thead>" if head else "")
            + f"<tbody>{body}</tbody></table>"
            + (f"<p>{escape(note)}</p>" if note else "")
        )


def _short(cell: str) -> str:
    """Leave out the middle of a cell that is too wide."""
    if len(cell) <= WIDEST:
        return cell
    return f"{cell[: WIDEST - 20]}...{cell[-17:]}"

"""Values on the command line: lists, ranges, and texts with commas in parentheses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from detequiv.shell.options import is_whole
from detequiv.theory.errors import InputError

if TYPE_CHECKING:
    import sympy as sp

__all__ = ["parse_values", "split_at_commas"]

# what stands between commas that are in no brackets, two deep at most
_AT_COMMAS = re.compile(r"(?:[^,()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|[()])+")


def split_at_commas(text: str) -> list[str]:
    """Split a text at commas outside of parentheses.

    Examples
    --------
    >>> split_at_commas("max(1, (2)), pi")
    ['max(1, (2))', 'pi']
    """
    return [part.strip() for part in _AT_COMMAS.findall(text)]


def parse_values(field: str, text: str) -> list[Any]:
    """Read values that are listed, or a range of them.

    A range gives decimals with at most 12 significant digits, so that a table names
    the very numbers that were solved.

    Examples
    --------
    >>> parse_values("--vary", "0:1:4")
    ['0', '0.333333333333', '0.666666666667', '1']
    >>> parse_values("--vary", "1e-4:1:3:log")
    ['0.0001', '0.01', '1']
    >>> parse_values("--vary", "[0, 0], [1, -1]")
    [[0, 0], [1, -1]]
    >>> parse_values("--vary", "max(z, 0), z")
    ['max(z, 0)', 'z']
    """
    from detequiv.formats.problem_file import parse_value

    if ":" in text:
        return _parse_range(field, text)
    listed = parse_value(f"[{text}]")
    if isinstance(listed, list):
        return listed
    return split_at_commas(text)


def _parse_range(field: str, text: str) -> list[str]:
    """Read ``start:stop:count`` or ``start:stop:count:log``."""
    import sympy as sp

    from detequiv.results.vary import MOST_POINTS
    from detequiv.theory.functions import exact, value_text

    start_text, _, rest = text.partition(":")
    stop_text, _, rest = rest.partition(":")
    count_text, _, spacing = rest.partition(":")
    if not is_whole(count_text.strip()) or spacing not in ("", "log"):
        raise InputError(field, text, "write start:stop:count or start:stop:count:log")
    start, stop = exact(start_text, field), exact(stop_text, field)
    count = int(count_text)
    if count > MOST_POINTS:
        raise InputError(field, text, f"give at most {MOST_POINTS} points")
    if count < 2 or start == stop:
        raise InputError(field, text, "give two different ends and at least 2 points")
    if spacing == "log" and not (start > 0 and stop > 0):
        raise InputError(field, text, "logarithmic spacing needs positive ends")

    def between(k: int) -> sp.Expr:
        if spacing == "log":
            return start * (stop / start) ** sp.Rational(k, count - 1)
        return start + (stop - start) * sp.Rational(k, count - 1)

    inner = [
        value_text(exact(str(sp.N(between(k), 12)), field)) for k in range(1, count - 1)
    ]
    return [value_text(start), *inner, value_text(stop)]

"""The errors of the package, each also the builtin a caller would expect."""

from collections.abc import Container

__all__ = ["ConvergenceError", "DetequivError", "InputError", "is_name"]

LONGEST = 80  # characters of a value that an error shows


class DetequivError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(DetequivError, ValueError):
    """A field of a problem, or an argument, has a value that cannot be used.

    Parameters
    ----------
    field : str
        Dotted name in the problem file, or name of the argument.
    value : object
        The offending value.
    problem : str
        What is wrong with it and what to give instead.

    Examples
    --------
    >>> print(InputError("ridge.penalty", -1, "must not be negative"))
    ridge.penalty = -1: must not be negative
    """

    def __init__(self, field: str, value: object, problem: str) -> None:
        text = " ".join(_text(value).split())
        if len(text) > LONGEST:  # what a path or a function ends on tells most of it
            text = f"{text[: LONGEST // 4]}...{text[-(LONGEST * 3 // 4 - 3) :]}"
        super().__init__(f"{field} = {text}: {problem}")
        self.field, self.value, self.problem = field, value, problem

    def __reduce__(self) -> tuple[type, tuple[str, object, str]]:
        """Rebuild from the three arguments, when crossing process borders."""
        return type(self), (self.field, _text(self.value), self.problem)


def is_name(value: object, names: Container[str]) -> bool:
    """Whether a value is one of some names; an array is none, and is not compared."""
    return isinstance(value, str) and value in names


def _text(value: object) -> str:
    """Write any value; Python refuses to print whole numbers of thousands of digits."""
    try:
        return str(value)
    except Exception:  # the refusal of a value must not fail over it
        return f"({type(value).__name__} that cannot be printed)"


class ConvergenceError(DetequivError, ArithmeticError):
    """What was asked for was not reached; says how far it got and what to try."""

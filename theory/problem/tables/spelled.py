"""Parts of a problem as the calls that make them again."""

from inspect import Parameter, signature
from typing import Any

import sympy as sp

from detequiv.theory.functions import value_text

__all__ = ["Spelled"]

MOST = 64  # entries of a list that are written


class Spelled:
    """What is written as the call that makes it, but for its defaults.

    A list of more than 64 entries is cut short, and then is no call any more.
    """

    def __repr__(self) -> str:
        """Write the call."""
        words = []
        for name, parameter in signature(type(self)).parameters.items():
            value = getattr(self, name)
            usual = parameter.default
            if value is None or (usual is not Parameter.empty and value == usual):
                continue
            words.append(f"{name}={_spell(value)}")
        return f"{type(self).__name__}({', '.join(words)})"


def _spell(value: Any) -> str:
    """Write a value so that it is read as the same."""
    match value:
        case tuple():
            entries = [_spell(v) for v in value[:MOST]]
            entries += ["..."] * (len(value) > MOST)
            return f"[{', '.join(entries)}]"
        case sp.Integer():
            return str(value)
        case sp.Expr():
            return repr(value_text(value))
    return repr(value)

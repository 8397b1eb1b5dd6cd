"""What the equations say in closed form."""

from detequiv.theory.closed.constants import natural_constants

__all__ = ["natural_constants"]

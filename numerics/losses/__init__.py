"""What labels of -1 and 1, and losses other than the square, add."""

from detequiv.numerics.losses.rates import error_rates

__all__ = ["error_rates"]

"""A step on a finite batch: its equations solved, and what is reported."""

from detequiv.numerics.batches.answer import BatchAnswer, solve_batch

__all__ = ["BatchAnswer", "solve_batch"]

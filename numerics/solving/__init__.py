"""From a problem to vouched numbers."""

from detequiv.numerics.solving.batch import solve_floats
from detequiv.numerics.solving.instance import solve_model
from detequiv.numerics.solving.solution import (
    LOSS_QUANTITIES,
    QUANTITIES,
    Solution,
    reported,
)
from detequiv.numerics.solving.solve import (
    law_of_solution,
    solve,
    solve_at_width,
    task_at_width,
    task_of,
)
from detequiv.numerics.solving.sweep import Point, sweep
from detequiv.numerics.solving.task import Task
from detequiv.numerics.solving.vouch import Vouched, follow, vouch

__all__ = [
    "LOSS_QUANTITIES",
    "QUANTITIES",
    "Point",
    "Solution",
    "Task",
    "Vouched",
    "follow",
    "law_of_solution",
    "reported",
    "solve",
    "solve_at_width",
    "solve_floats",
    "solve_model",
    "sweep",
    "task_at_width",
    "task_of",
    "vouch",
]

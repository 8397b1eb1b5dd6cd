"""Progress bars on a terminal; nothing anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

__all__ = ["progress_bars"]

Advance = Callable[[int, int], None]


@contextmanager
def progress_bars() -> Iterator[Callable[[str], Advance]]:
    """Show bars on standard error while a block runs, if it is a terminal.

    Yields
    ------
    callable
        ``bar(title)`` adds a bar and returns its ``progress(done, total)``.
    """
    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns()[:-1],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:

        def bar(title: str) -> Advance:
            task = progress.add_task(title, total=None)

            def advance(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            return advance

        yield bar

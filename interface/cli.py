"""The command line: ``detequiv COMMAND``, one module of `detequiv.commands` each.

Exit status: 0 done, 1 a validation found a disagreement or a check a counterexample, 2
bad input, 3 the solver could not reach what was asked, 4 the machine failed: a full
disk, a closed pipe, a store that cannot be written. What goes wrong is told in one line
on standard error.
"""

import difflib
import os
import pkgutil
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn, cast

import click

from detequiv import commands
from detequiv.theory.errors import ConvergenceError, InputError

__all__ = ["main"]

ORDER = (
    "solve",
    "curve",
    "spectrum",
    "derive",
    "validate",
    "check",
)  # in the list of commands
MACHINE = 4  # a failure of the machine, such as a full disk
INTERRUPTED = 130  # what a shell expects after Ctrl-C


class Commands(click.Group):
    """A group of commands, each in a module that is imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the modules of `detequiv.commands` and of its folders."""
        names = _modules()
        return sorted(names, key=lambda name: ([*ORDER, name].index(name), name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        module = _modules().get(cmd_name)
        if module is None:
            return None
        return cast(click.Command, import_module(module).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which may have been meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            meant = f"solve {name}" if name.endswith(".toml") else "".join(close)
            hint = f" Did you mean: detequiv {meant}?" if meant else ""
            raise click.UsageError(f"No such command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and exit, with one line for what goes wrong."""
        if sys.stdout is None:
            sys.exit(_refuse("standard output is closed", MACHINE))
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except SystemExit:  # click's only one of its own
            status = _lost_output("standard output was closed")
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            status = _lost_output(f"{place}{(error.strerror or str(error)).lower()}")
        except click.exceptions.NoArgsIsHelpError as missing:
            click.echo(missing.message)
            status = 2
        except click.UsageError as error:
            place = error.ctx.command_path if error.ctx else "detequiv"
            status = _refuse(f"{error.format_message()} Try: {place} --help", 2)
        except InputError as error:
            status = _refuse(str(error), 2)
        except ConvergenceError as error:
            status = _refuse(str(error), 3)
        except MemoryError as error:
            says = str(error) or "what was asked for does not fit"
            status = _refuse(f"not enough memory: {says}; give smaller sizes", 3)
        except (click.Abort, KeyboardInterrupt):
            status = _refuse("interrupted", INTERRUPTED)
        sys.exit(status)


def _modules() -> dict[str, str]:
    """Modules of the commands, by the names that a shell knows them by."""
    found = pkgutil.walk_packages(commands.__path__, f"{commands.__name__}.")
    modules = [module.name for module in found if not module.ispkg]
    return {name.rpartition(".")[2].replace("_", "-"): name for name in modules}


def _lost_output(message: str) -> int:
    """Say what the machine refused, and let nothing that is still buffered fail too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with suppress(OSError):
        _refuse(message, MACHINE)
    return MACHINE


def _refuse(message: str, status: int) -> int:
    """Say in one line on standard error what went wrong."""
    click.echo(f"detequiv: {' '.join(message.split())}", err=True)
    return status


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="detequiv", message="%(prog)s %(version)s")
def main() -> None:
    """Theory of two-layer networks after one gradient step, from a problem file."""

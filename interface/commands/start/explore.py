"""``detequiv explore``: a page to play with a problem, on this machine."""

from __future__ import annotations

import webbrowser
from contextlib import suppress

import click

from detequiv.shell.options import read_problem

__all__ = ["command"]


@click.command
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Where to listen, 0 for any free port; by default 8410, or any if that is "
    "taken.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def command(file: str | None, port: int | None, no_browser: bool) -> None:
    """Serve a page that plays with the problem in FILE, until Ctrl-C.

    Its address is printed on standard output; nothing but this machine is answered.
    Without FILE it begins with the problem of `detequiv init`.
    """
    from detequiv.commands.start.init import PRESETS
    from detequiv.explorer.form import form_of
    from detequiv.explorer.server import serving
    from detequiv.formats.problem_file import dump

    if file is None:
        beginning = PRESETS["network"]
    else:
        problem = read_problem(file)
        form_of(problem)  # refuses what the page has no controls for
        beginning = dump(problem)
    with serving(port, beginning) as server:
        click.echo(server.url)
        click.echo("Ctrl-C ends it", err=True)
        if not no_browser:
            webbrowser.open(server.url)
        with suppress(KeyboardInterrupt):
            server.serve_forever()

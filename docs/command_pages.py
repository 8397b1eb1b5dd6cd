"""The page on commands: what each says of itself."""

import click

from detequiv.cli import main

__all__ = ["command_pages"]


def command_pages() -> str:
    """Write a section for every command, with its own help."""
    parent = click.Context(main, info_name="detequiv")
    sections = []
    for name in main.list_commands(parent):
        command = main.get_command(parent, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=parent)
        sections.append(f"\n## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "".join(sections)

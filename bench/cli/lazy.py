"""Verbs that are imported when they are called, so that `bench --help` answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click


class LazyVerb(NamedTuple):
    """Where a verb is declared, as `module:attribute`, and its line in the list of verbs."""

    path: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; its own help imports none.

    Args:
        verbs: Each command by name.
    """

    def __init__(self, *args: object, verbs: Mapping[str, LazyVerb], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names in the order of the table."""
        return [*self.verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command and return it; None where no command has the name."""
        if cmd_name not in self.verbs:
            return None
        module, _, attribute = self.verbs[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs with their lines."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in self.verbs.items()])

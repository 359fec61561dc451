"""A click group that imports a verb only when it is called, so that `bench --help` is fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from bench.cli.help import HelpContext, set_help
from bench.core.errors import nearest


class LazyVerb(NamedTuple):
    """A verb that is not imported yet.

    Attributes:
        path: Where its command is, as `module:attribute`.
        help: Its line in the list of verbs.
    """

    path: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; its help imports no command.

    Args:
        verbs: Each command by name.
        shared: Options that are added to each command, also to those of nested groups.
    """

    context_class = HelpContext

    def __init__(
        self,
        *args: object,
        verbs: Mapping[str, LazyVerb],
        shared: Sequence[click.Option] = (),
        **options: object,
    ) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.verbs = verbs
        self.shared = shared

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names of the verbs in the order of the table."""
        return [*self.verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command; None if no command has this name."""
        if cmd_name not in self.verbs:
            return None
        module, _, attribute = self.verbs[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        self._share(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that arguments begin with, and the others.

        Raises:
            UsageError: There is no such command; the message has the nearest name.
        """
        if args[0] not in self.verbs and (near := nearest(args[0], self.verbs)):
            ctx.fail(f"No such command '{args[0]}'; did you mean '{near}'?")
        return super().resolve_command(ctx, args)

    def _share(self, command: click.Command) -> None:
        """Add the shared options to a command, once, and to the commands of a group."""
        set_help(command)
        command.params += [option for option in self.shared if option not in command.params]
        if isinstance(command, click.Group):
            for each in command.commands.values():
                self._share(each)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin with a text, and options; nothing is imported."""
        verbs = [
            CompletionItem(name, help=verb.help)
            for name, verb in self.verbs.items()
            if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs with their lines."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in self.verbs.items()])

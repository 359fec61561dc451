"""The click type of options and arguments that name a local file or folder."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from bench.core.errors import BenchError
from bench.core.local_paths import local_path


class LocalPath(click.ParamType[Path]):
    """The path of a file or folder on this machine; `~` is replaced by the home folder."""

    name = "path"

    def convert(
        self,
        value: str | Path,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002 (click's)
    ) -> Path:
        """Return the path. Raises BenchError on a URL."""
        try:
            return local_path(value)
        except BenchError as error:
            # click prints its own errors in three lines.
            raise BenchError(f"{_parameter_prefix(param)}{error}") from None

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's)
        param: click.Parameter,  # noqa: ARG002 (click's)
        incomplete: str,
    ) -> list[CompletionItem]:
        """Let the shell complete a path."""
        return [CompletionItem(incomplete, type="file")]


def _parameter_prefix(param: click.Parameter | None) -> str:
    if param is None:
        return ""
    name = param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
    return f"{name} or {param.envvar}: " if param.envvar else f"{name}: "


LOCAL_PATH = LocalPath()

"""The verb `completion`: the script by which a shell completes `bench`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_BENCH_COMPLETE"
"""Set by the script; click then prints completions in place of running a verb."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes verbs, options, suites, data sets and components.

    Write it once, then start a new shell:
      bench completion bash > ~/.local/share/bash-completion/completions/bench
      bench completion zsh  > ~/.zfunc/_bench
      bench completion fish > ~/.config/fish/completions/bench.fish

    For zsh, ~/.zfunc has to be in `fpath` before `compinit` in ~/.zshrc:
      fpath+=~/.zfunc; autoload -Uz compinit; compinit
    """
    shell_class = get_completion_class(shell)
    assert shell_class, "all choices are shells that click completes"  # noqa: S101
    command = context.find_root().command
    click.echo(shell_class(command, {}, "bench", _VARIABLE).source())

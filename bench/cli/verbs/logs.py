"""The verb `logs`: what a task has logged so far."""

from __future__ import annotations

import click

from bench.cli.terminal import Load
from bench.core.errors import Exit
from bench.trials.live_runs import is_unfinished, live_runs
from bench.trials.task_logs import find_log, follow, log_lines, task_key


@click.command()
@click.argument("key")
@click.option(
    "-f", "--follow", "follows", is_flag=True, help="Follow the log until the task has ended."
)
@click.option(
    "-n", "--lines", type=click.IntRange(0), help="Only the last LINES lines of what is there."
)
@click.pass_obj
def logs(load: Load, key: str, *, follows: bool, lines: int | None) -> int:
    """Print the log of the task whose key begins with KEY; `bench status` lists keys.

    The task may be running, failed or done. The log is that of its last attempt.
    """
    root = load().results
    log = find_log(root, key)
    if not follows:
        shown = log_lines(log, lines)
    else:
        full_key = task_key(log)
        shown = follow(log, lines, lambda: is_unfinished(live_runs(root), full_key))
    for line in shown:
        click.echo(line)
    return Exit.DONE

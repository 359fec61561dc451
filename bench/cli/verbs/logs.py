"""The verb `logs`: the log of a task."""

from __future__ import annotations

import click

from bench.cli.terminal import Load
from bench.core.errors import Exit
from bench.trials.live_runs import is_unfinished, live_runs
from bench.trials.task_logs import find_log, follow, log_lines, task_key


@click.command()
@click.argument("key")
@click.option(
    "-f", "--follow", "follows", is_flag=True, help="Print new lines until the task has ended."
)
@click.option("-n", "--lines", type=click.IntRange(0), help="Print only the last LINES lines.")
@click.pass_obj
def logs(load: Load, key: str, *, follows: bool, lines: int | None) -> int:
    """Print the log of the task whose key begins with KEY; `bench status` lists keys.

    The task may be running, failed or done. After several attempts, it is the log of the last one.
    """
    root = load().results
    log = find_log(root, key)
    if not follows:
        text = log_lines(log, lines)
    else:
        full_key = task_key(log)
        text = follow(log, lines, lambda: is_unfinished(live_runs(root), full_key))
    for line in text:
        click.echo(line)
    return Exit.DONE

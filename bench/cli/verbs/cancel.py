"""The verb `cancel`: ask the run of a task or a suite to end it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from bench.cli.terminal import Load, say
from bench.core.errors import BenchError, Exit
from bench.trials.live_runs import UNFINISHED, WHOLE_RUN, LiveRun, live_runs, request_cancel

_PATIENCE_SECONDS = 15.0
_POLL_SECONDS = 0.1


@click.command()
@click.argument("target", metavar="KEY|SUITE")
@click.pass_obj
def cancel(load: Load, target: str) -> int:
    """End a task whose key begins with KEY, or all runs of SUITE, wherever they were started.

    A cancelled task is to do again: its checkpoint stays, and its run ends with exit code 1. A run
    that is cancelled ends as by Ctrl-C: with exit code 130, and what is done is kept. When nothing
    of that name runs, the exit code is 3.
    """
    root = load().results
    runs = live_runs(root)
    requests = [(run, WHOLE_RUN, f"the run of {target}") for run in runs if run.suite == target]
    if not requests:
        requests = _of_task(runs, target)
    if not requests:
        raise BenchError(
            f"no suite '{target}' and no task under a key that begins with it is running",
            Exit.NOTHING,
        )
    asked = []
    for run, name, what in requests:
        # Nothing is asked of a run that has ended meanwhile.
        with suppress(FileNotFoundError):
            asked.append((run, what, request_cancel(root, run.id, name)))
    for run, what, request in asked:
        if _is_answered(request):
            say(f"cancelled {what}, which {run.process} had begun")
        else:
            say(
                f"asked {run.process} to cancel {what}; it has not answered for "
                f"{_PATIENCE_SECONDS:.0f} s, and does so as soon as it sees the request",
                fg="yellow",
            )
    return Exit.DONE


def _of_task(runs: list[LiveRun], word: str) -> list[tuple[LiveRun, str, str]]:
    """Return the runs that have not finished the task whose key begins with `word`."""
    matches = [
        (run, task.key, task.name)
        for run in runs
        for task in run.tasks
        if task.key.startswith(word) and task.state in UNFINISHED
    ]
    if len({key for _, key, _ in matches}) > 1:
        raise BenchError(f"several tasks that run or wait have keys that begin with '{word}'")
    return matches


def _is_answered(request: Path) -> bool:
    """Wait until a run has removed a request; return whether it has."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while request.exists():
        if time.monotonic() >= ends:
            return False
        time.sleep(_POLL_SECONDS)
    return True

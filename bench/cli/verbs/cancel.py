"""The verb `cancel`: stop a running task, or all runs of a suite."""

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
    """Stop the task whose key begins with KEY, or all runs of SUITE, on whichever machine they run.

    A cancelled task keeps its checkpoint and resumes in the next `bench run`; its run continues
    with the other tasks and ends with exit code 1. A cancelled run ends like one that Ctrl-C
    stopped: with exit code 130, and finished tasks are kept. If no such task or suite is running,
    the exit code is 3.
    """
    root = load().results
    runs = live_runs(root)
    requests = [(run, WHOLE_RUN, f"the run of {target}") for run in runs if run.suite == target]
    if not requests:
        requests = _runs_of_task(runs, target)
    if not requests:
        raise BenchError(
            f"no running suite is called '{target}', and no running task has a key that begins so",
            Exit.NOTHING,
        )
    asked = []
    for run, name, what in requests:
        # The run may have ended since it was listed.
        with suppress(FileNotFoundError):
            asked.append((run, what, request_cancel(root, run.id, name)))
    for run, what, request in asked:
        if _is_confirmed(request):
            say(f"cancelled {what} in {run.process}")
        else:
            say(
                f"{run.process} has not confirmed within {_PATIENCE_SECONDS:.0f} s that it cancels "
                f"{what}; the request stays, and it will be cancelled once it is read",
                fg="yellow",
            )
    return Exit.DONE


def _runs_of_task(runs: list[LiveRun], word: str) -> list[tuple[LiveRun, str, str]]:
    """Return the runs that have not finished the task whose key begins with `word`."""
    matches = [
        (run, task.key, task.name)
        for run in runs
        for task in run.tasks
        if task.key.startswith(word) and task.state in UNFINISHED
    ]
    if len({key for _, key, _ in matches}) > 1:
        raise BenchError(
            f"several running or queued tasks have keys that begin with '{word}'; write more of it"
        )
    return matches


def _is_confirmed(request: Path) -> bool:
    """Wait until a run removes a request; return whether it did in time."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while request.exists():
        if time.monotonic() >= ends:
            return False
        time.sleep(_POLL_SECONDS)
    return True

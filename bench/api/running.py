"""Runs: what a suite lacks, then its board."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bench.api.boards import Board, draw_board
from bench.api.suite_run import Selected, execute_missing, profile_done, select
from bench.api.suites import Suite, load_suite
from bench.api.workspace import PathLike, readable_errors, warn
from bench.core.errors import BenchError, Exit
from bench.execution.progress import failure_line
from bench.execution.run_monitor import RunMonitor
from bench.profiling.profiler import open_profiler
from bench.trials import grid, plan
from bench.trials.selection import Selection

if TYPE_CHECKING:
    from bench.trials.records import Failure
    from bench.trials.specs import Task

_MAX_NAMED = 3


class RunError(BenchError):
    """Tasks of a run have failed or were cancelled; all others have run.

    Attributes:
        board: The board with everything that is done; None if nothing is.
        failures: How the last attempt at each failed task ended.
    """

    def __init__(self, message: str, board: Board | None, failures: Sequence[Failure]) -> None:
        super().__init__(message, Exit.FAILED)
        self.board = board
        self.failures = failures


def run(
    suite: str | Suite = "quick",
    *,
    config: PathLike | None = None,
    results: PathLike | None = None,
    data: PathLike | None = None,
    executor: str = "inline",
    address: str | None = None,
    tests: Sequence[str] = (),
    models: Sequence[str] = (),
    losses: Sequence[str] = (),
    decoders: Sequence[str] = (),
    recognizers: Sequence[str] = (),
    seeds: Collection[int] | None = None,
    limit: int | None = None,
    force: bool = False,
    changed: bool = False,
    fail_fast: bool = False,
    profile: bool = False,
    progress: bool = False,
) -> Board:
    """Run the trainings and evaluations that a suite lacks, and return its board.

    Records and board are those of `bench run`: what either has run, the other does not run again.

    Args:
        suite: A suite, as an object or by its name.
        config: The bench.toml, of a suite by its name; by default the nearest one at or above the
            working folder, else that of bench itself.
        results: The folder of records; by default `results` beside bench.toml.
        data: The folder of prepared data; by default `data` beside bench.toml.
        executor: `inline` runs one task after the other, each in a process of its own; `ray` runs
            them side by side; `in-process` runs all in this process, for a debugger.
        address: The address of a running Ray cluster; by default Ray starts on this machine.
        tests: Globs of test sets; by default all.
        models: Globs of models. One that the suite does not list runs with its default parameters
            and is left off the board.
        losses: Globs of losses, likewise.
        decoders: Globs of decoders.
        recognizers: Globs of recognizers from outside.
        seeds: Some of the suite's seeds.
        limit: Run only the first trials of the selection.
        force: Run again what is done.
        changed: Run again what other sources of bench made.
        fail_fast: Stop at the first failure.
        profile: Measure parameters and latencies at the end, in this process. Off by default,
            because a notebook's process may hold memory or threads that disturb them; `bench
            profile` measures them later.
        progress: Print progress on stderr.

    Raises:
        RunError: Tasks have failed or were cancelled; `board` has what is done.
        BenchError: The suite has a mistake, its data are not prepared, or nothing is selected.

    Examples:
        >>> board = bench.run("quick", losses=["ctc"], seeds=[0])
        >>> board.name
        'quick (working)'
    """
    if isinstance(suite, Suite):
        suite.workspace.enter()
    else:
        suite = load_suite(suite, config=config, results=results, data=data)
    selection = Selection(tests, models, losses, decoders, seeds, limit, recognizers)
    # First, because one that is not here may be the only one that matches.
    warn(f"cannot be used here: {reason}" for reason in selection.unavailable(suite.data))
    selected = select(suite.data, selection)
    store = suite.workspace.store
    status = plan.make_plan(selected.trials, store, selected.all_trials)
    missing = status.missing(force=force, changed=changed)
    monitor = RunMonitor(
        store,
        suite=suite.name,
        executor=executor,
        durations=plan.durations(status),
        log_format="text" if progress else "none",
        command=f"bench.run({suite.name!r})",
    )
    failures: list[Failure] = []
    with readable_errors(), monitor:
        if missing:
            failures = execute_missing(
                suite.workspace.config, selected, missing, monitor, address, fail_fast=fail_fast
            )
        if profile:
            profiler = open_profiler(address if executor == "ray" else None, _no_matter)
            faults = profile_done(
                selected.listed, store, profiler, monitor, _no_matter, retry=bool(missing)
            )
            warn(f"not profiled: {fault}" for fault in faults)
    return _board(suite, selected, failures, monitor.cancelled)


def _board(
    suite: Suite, selected: Selected, failures: Sequence[Failure], cancelled: Sequence[Task]
) -> Board:
    """Return the working board. Raises RunError if a task failed or was cancelled."""
    if not failures and not cancelled:
        return draw_board(suite.workspace, suite.data)
    board = None
    with suppress(BenchError):
        board = draw_board(suite.workspace, suite.data)
    names, store = grid.task_names(selected.trials), suite.workspace.store
    tasks = {task.key: task for trial in selected.trials for task in trial.tasks}
    sentences = [failure_line(names[f.key], tasks[f.key], f, store) for f in failures]
    sentences += [f"cancelled: {names[task.key]}" for task in cancelled]
    more = len(sentences) - _MAX_NAMED
    listed = "; ".join(sentences[:_MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")
    raise RunError(f"{listed}; what is done is kept, the same call runs the rest", board, failures)


def _no_matter(_sentence: str) -> None:
    """Leave out what the command line would say of waiting."""

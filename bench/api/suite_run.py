"""The steps of a run, for the library and for the verb `run`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.disk import require_writable
from bench.trials import grid
from bench.trials.selection import Selection, widened
from bench.trials.store import Store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.config.bench_toml import Config
    from bench.config.suite import Suite
    from bench.execution.run_monitor import RunMonitor
    from bench.profiling.profiler import Profiler
    from bench.trials.records import Failure
    from bench.trials.specs import Task, Trial


@dataclass(frozen=True)
class Selected:
    """A suite with the trials that are to be run.

    Attributes:
        suite: The suite as bench.toml lists it.
        trials: The selected trials, ad-hoc ones included.
        all_trials: All trials, ad-hoc ones included.
        listed: The selected trials that the suite lists.
    """

    suite: Suite
    trials: list[Trial]
    all_trials: list[Trial]
    listed: list[Trial]


def select(suite: Suite, selection: Selection, *, planned: bool = False) -> Selected:
    """Return the selected trials of a suite.

    Args:
        suite: The suite.
        selection: Which of its trials.
        planned: Whether the trials are only planned, so that data need not be prepared.

    Raises:
        NotPreparedError: Data are not prepared, and the trials are not only planned.
        BenchError: Nothing is selected.
    """
    wide = widened(suite, selection)
    trials = grid.unkeyed_trials(wide) if planned else grid.trials(wide)
    chosen = selection.select(trials)
    entries = {*suite.rows}
    return Selected(suite, chosen, trials, [trial for trial in chosen if trial.entry in entries])


def execute_missing(
    config: Config,
    selected: Selected,
    missing: Sequence[Task],
    monitor: RunMonitor,
    address: str | None = None,
    *,
    fail_fast: bool = False,
) -> list[Failure]:
    """Run tasks on the executor that the monitor names; return the failures.

    Args:
        config: Where the records are.
        selected: What the tasks are of.
        missing: The tasks.
        monitor: Where events are shown and the state is kept; it is entered.
        address: The address of a Ray cluster; None: there is none.
        fail_fast: Whether the first failure ends the run.

    Raises:
        BenchError: Nothing can be written, or the executor cannot run such tasks.
    """
    from bench.execution.schedule import execute, open_executor, opening_phase
    from bench.leaderboards.working import working_folder

    store, executor = Store(config.results), monitor.run.executor
    store.prepare()
    # What is written last.
    require_writable(
        working_folder(config, selected.suite.name), "change its permissions or remove it"
    )
    monitor.phase(opening_phase(executor, address))
    return execute(
        missing,
        grid.task_names(selected.trials),
        store,
        open_executor(executor, address),
        fail_fast=fail_fast,
        monitor=monitor,
    )


def profile_done(
    trials: Sequence[Trial],
    store: Store,
    profiler: AbstractContextManager[Profiler],
    monitor: RunMonitor,
    say: Callable[[str], None],
    *,
    retry: bool,
) -> list[str]:
    """Profile the entries of finished trials that lack a valid profile; return the faults."""
    from bench.profiling import phase

    done = [
        evaluation
        for trial in trials
        for evaluation in trial.evaluations.values()
        if store.is_done(evaluation)
        and (evaluation.training is None or store.is_done(evaluation.training))
    ]
    result = phase.profile_evaluations(
        done, store, say, profiler, retry=retry, begin=monitor.profiling
    )
    return result.faults

"""The verb `run`: train and evaluate a suite, then print its board."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from bench.api.suite_run import Selected, execute_missing, profile_done, select
from bench.cli.render import descriptions, live_text
from bench.cli.terminal import (
    Load,
    as_json_option,
    log_format_option,
    print_text,
    report,
    say,
    say_faults,
    suite_argument,
)
from bench.cli.verbs.boards import print_board
from bench.cli.verbs.selection import say_unavailable, selection_options
from bench.core.errors import BenchError, Exit
from bench.execution.estimate import estimate_run, local_slots
from bench.execution.run_monitor import RunMonitor
from bench.profiling.profiler import open_profiler
from bench.trials import grid, plan
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.execution.progress import LogFormat
    from bench.trials.records import Failure
    from bench.trials.selection import Selection
    from bench.trials.specs import Task, Trial


@click.command()
@click.pass_obj
@suite_argument
@selection_options
@click.option("--dry-run", is_flag=True, help="Print the plan and its estimated cost; run nothing.")
@click.option(
    "--executor",
    default="ray",
    show_default=True,
    help="`ray` runs tasks in parallel, `inline` one after another on this machine; both run each "
    "task in its own process.",
)
@click.option(
    "--in-process",
    "executor",
    flag_value="in-process",
    help="Run all tasks in this process, for a debugger. State that a task leaves in the process "
    "may affect the next.",
)
@click.option(
    "--address", envvar="RAY_ADDRESS", help="The address of a running Ray cluster, or `auto`."
)
@click.option("--force", is_flag=True, help="Run finished tasks again.")
@click.option(
    "--changed",
    is_flag=True,
    help="Run again tasks whose records were made by other versions of bench's sources.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("--no-profile", is_flag=True, help="Skip the measurement of latencies at the end.")
@log_format_option
@as_json_option
def run(
    load: Load,
    suite: str,
    selection: Selection,
    executor: str,
    address: str | None,
    log_format: LogFormat,
    *,
    dry_run: bool,
    force: bool,
    changed: bool,
    fail_fast: bool,
    no_profile: bool,
    as_json: bool,
) -> int:
    """Run the trainings and evaluations of SUITE that are not done, then print its board.

    SUITE is the only one of bench.toml, or `quick`, unless named. An interrupted run resumes with
    the same command. Parameters and latencies are measured at the end, while nothing else runs: in
    this process, or with --address on a node of the cluster that is reserved for it. The board is
    written beside the results; `bench board SUITE --publish` publishes it to leaderboards/.

    A damaged record is reported and never replaced, even with --force: its task and the tasks that
    need it are skipped, the others run, and the exit code is 5 unless a task fails.

    Examples:
      bench run quick
      bench run quick --dry-run
      bench run quick -l 'radial*' --seeds 0,2-4
      bench run scene-text --address auto
    """
    config = load()
    listed = config.suite(suite)
    # First, because a recognizer that is not installed may be the only one that matches.
    unavailable = say_unavailable(listed, selection)
    selected = select(listed, selection, planned=dry_run)
    store = Store(config.results)
    if dry_run:
        status = plan.make_partial_plan(selected.suite, selected.trials, store, selected.all_trials)
    else:
        status = plan.make_plan(selected.trials, store, selected.all_trials)
    missing = status.missing(force=force, changed=changed)
    for warning in selected.suite.warnings:
        say(f"warning: {warning}", fg="yellow")
    code = say_faults(status.faults)
    if dry_run:
        estimate = estimate_run(
            missing, plan.durations(status), local_slots(executor, address, missing)
        )
        report(
            [
                *descriptions.dry_run(status, missing),
                *([] if status.waiting else [live_text.estimate_line(estimate)]),
            ],
            descriptions.plan_json(status, missing) | {"estimate": estimate},
            as_json=as_json,
        )
        return code
    say(descriptions.to_run(suite, status, missing))
    outcome = Outcome(faults=unavailable, damaged=status.faults)
    monitor = RunMonitor(
        store,
        suite=suite,
        executor=executor,
        durations=plan.durations(status),
        log_format=log_format,
    )
    with monitor:
        if missing:
            outcome.failures = _execute(
                config, selected, missing, monitor, address, fail_fast=fail_fast, force=force
            )
            outcome.cancelled = monitor.cancelled
        if not no_profile:
            # If nothing had to run, failed measurements are not repeated, so that it ends at once.
            profiler = open_profiler(address if executor == "ray" else None, say)
            faults = profile_done(
                selected.listed, store, profiler, monitor, say, retry=bool(missing)
            )
            for fault in faults:
                say(f"not profiled: {fault}", fg="red")
            outcome.faults += faults
    return _finish(config, selected, outcome, as_json=as_json)


@dataclass
class Outcome:
    """What went wrong in a run.

    Attributes:
        failures: The failed tasks.
        faults: Other faults, such as recognizers that are not installed or failed measurements.
        damaged: One sentence for each damaged record.
        cancelled: The tasks that a user has cancelled.
    """

    failures: list[Failure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    cancelled: list[Task] = field(default_factory=list)

    @property
    def code(self) -> Exit:
        """The exit code."""
        if self.failures or self.faults or self.cancelled:
            return Exit.FAILED
        return Exit.UNVERIFIED if self.damaged else Exit.DONE


def _execute(
    config: Config,
    selected: Selected,
    missing: list[Task],
    monitor: RunMonitor,
    address: str | None,
    *,
    fail_fast: bool,
    force: bool,
) -> list[Failure]:
    """Run the missing tasks and return the failures."""
    try:
        return execute_missing(config, selected, missing, monitor, address, fail_fast=fail_fast)
    except KeyboardInterrupt:
        if force:
            say("tasks that were not run again keep their records; use --force again to run all")
        raise


def _finish(config: Config, selected: Selected, outcome: Outcome, *, as_json: bool) -> int:
    """Write and print the working board, then report failures."""
    from bench.leaderboards.working import working_folder, write_working_board

    ad_hoc = [trial for trial in selected.trials if trial.entry not in {*selected.suite.rows}]
    if ad_hoc:
        status = plan.make_plan(ad_hoc, Store(config.results))
        print_text(["ad-hoc trials, left off the board:", *descriptions.status(status)], err=True)
    faults: list[str] = []
    try:
        board = write_working_board(config, selected.suite, faults)
        print_board(board, as_json=as_json)
        folder = working_folder(config, selected.suite.name)
        say(f"written to {folder}; `bench view` shows it in a browser")
    except BenchError as error:
        # A failed task may be the reason that there is no board.
        error.code = Exit.FAILED if outcome.failures else error.code
        raise
    finally:
        say_failures(outcome.failures, selected.trials, Store(config.results))
        say_cancelled(outcome.cancelled, selected.trials)
    # Damaged records of this suite were reported before the run.
    unreported = [fault for fault in faults if fault not in outcome.damaged]
    say_faults(unreported)
    outcome.damaged += unreported
    return outcome.code


def say_failures(failures: list[Failure], trials: list[Trial], store: Store) -> None:
    """Report each failed task: its name, the reason, and the path of its log.

    Args:
        failures: The failures of a run.
        trials: The trials that were run.
        store: The records, with the logs.
    """
    from bench.execution.progress import failure_line

    names = grid.task_names(trials)
    tasks = {task.key: task for trial in trials for task in trial.tasks}
    for failure in failures:
        key = failure.key
        say(failure_line(names[key], tasks[key], failure, store), fg="red")


def say_cancelled(tasks: list[Task], trials: list[Trial]) -> None:
    """Report the tasks that a user has cancelled."""
    names = grid.task_names(trials)
    for task in tasks:
        say(f"cancelled: {names[task.key]}; the same command runs it", fg="yellow")

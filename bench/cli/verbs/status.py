"""The verb `status`: the state of each task of a suite."""

from __future__ import annotations

import click

from bench.cli.render import descriptions, live_text
from bench.cli.terminal import Load, as_json_option, report, say_faults, suite_argument
from bench.cli.verbs.selection import say_unavailable
from bench.trials import grid, plan
from bench.trials.live_runs import live_runs
from bench.trials.store import Store


@click.command()
@suite_argument
@click.option("--why", is_flag=True, help="Add the reason for each state, and changed sources.")
@click.option(
    "--changed",
    is_flag=True,
    help="List only tasks whose records were made by other versions of bench's sources.",
)
@as_json_option
@click.pass_obj
def status(load: Load, suite: str, *, why: bool, changed: bool, as_json: bool) -> int:
    """Show the state of each training and evaluation of SUITE, by default that of `bench run`.

    States:
      done        it has a record
      running     a run works on it: epoch, time left and machine are shown
      to do       it has not run yet
      failed      its last attempt failed
      stale       a record of an earlier version exists; --why says what changed
      needs data  a data set is not prepared; its command is below the table
      damaged     its record cannot be used; the exit code is then 5
    """
    config = load()
    listed = config.suite(suite)
    say_unavailable(listed)
    trials = grid.unkeyed_trials(listed)
    current = plan.make_partial_plan(listed, trials, Store(config.results), trials)
    if changed:
        current = current.with_changed_sources()
    keys = current.statuses.keys()
    runs = [
        run
        for run in live_runs(config.results)
        if run.suite == suite or any(task.key in keys for task in run.tasks)
    ]
    current = current.with_runs(runs)
    text = descriptions.status(current, why=why or changed)
    values = descriptions.plan_json(current, current.missing(), why=why or changed)
    report(
        [*text, *map(live_text.run_line, runs)],
        values | {"runs": live_text.runs_json(runs)},
        as_json=as_json,
    )
    return say_faults(current.faults)

"""The verb `profile`: parameters, MACs and latencies on this machine or a cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.cli.render import descriptions
from bench.cli.terminal import (
    Load,
    as_json_option,
    log_format_option,
    report,
    say,
    say_faults,
    suite_argument,
)
from bench.cli.verbs.selection import say_unavailable
from bench.core.errors import Exit
from bench.trials import grid, plan
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.execution.progress import LogFormat


@click.command()
@suite_argument
@click.option(
    "--address",
    envvar="RAY_ADDRESS",
    help="Measure on a reserved node of the Ray cluster at this address, or `auto`.",
)
@log_format_option
@as_json_option
@click.pass_obj
def profile(
    load: Load, suite: str, address: str | None, log_format: LogFormat, *, as_json: bool
) -> int:
    """Measure parameters, MACs and latencies of the entries of SUITE that have no valid profile.

    SUITE is the only one of bench.toml, or `quick`, unless named. `bench run` ends with the same
    measurement. Keep the machine idle: a latency that other processes disturbed is invalid. It is
    shown as – with the reason, the exit code stays 0, and it is measured again next time.
    """
    from bench.execution.run_monitor import RunMonitor
    from bench.execution.schedule import opening_phase
    from bench.profiling import phase
    from bench.profiling.profiler import open_profiler

    config = load()
    listed = config.suite(suite)
    unavailable = say_unavailable(listed)
    trials = grid.trials(listed)
    store = Store(config.results)
    status = plan.make_plan(trials, store)
    code = say_faults(status.faults)
    evaluations = [
        each
        for trial in trials
        for each in trial.evaluations.values()
        # Without its record, the weights of a training cannot be checked.
        if each.training is None or not status.statuses[each.training.key].fault
    ]
    with RunMonitor(store, suite=suite, log_format=log_format) as monitor:
        if address:
            monitor.phase(opening_phase("ray", address))
        profiler = open_profiler(address, say)
        result = phase.profile_evaluations(
            evaluations, store, say, profiler, begin=monitor.profiling
        )
    for fault in result.faults:
        say(f"not profiled: {fault}", fg="red")
    text = descriptions.profiles(result.profiles)
    report(text, descriptions.profiles_json(result.profiles), as_json=as_json)
    return Exit.FAILED if result.faults or unavailable else code

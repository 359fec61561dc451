"""The verb `decode`: evaluate finished trainings with another decoder."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

import click

from bench.cli.component_text import parse_component
from bench.cli.render import descriptions
from bench.cli.terminal import (
    Load,
    as_json_option,
    log_format_option,
    report,
    say_faults,
    suite_argument,
)
from bench.cli.verbs.run import say_cancelled, say_failures
from bench.cli.verbs.selection import selection_options
from bench.config.suite import TrainedEntry
from bench.core import registry
from bench.core.errors import BenchError, Exit
from bench.execution.run_monitor import RunMonitor
from bench.trials import grid, plan
from bench.trials.specs import Evaluation, TrainedEvaluation, Trial
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.core.components import Decoder
    from bench.execution.progress import LogFormat
    from bench.trials.records import Failure
    from bench.trials.selection import Selection


def parse_decoder(text: str) -> Decoder:
    """Return the decoder that `name` or `name:parameter=value,parameter=value` describes.

    Raises:
        BenchError: The name or a parameter is unknown, or a value has the wrong type.
    """
    name, parameters = parse_component(text, "--decoder")
    return cast("Decoder", registry.make("decoder", name, parameters))


@click.command()
@click.pass_obj
@suite_argument
@click.option(
    "--decoder",
    "text",
    required=True,
    metavar="NAME[:KEY=VALUE,…]",
    help="A decoder and its parameters, like beam:width=20 or lexicon:words=words.txt.",
)
@partial(selection_options, decoders=False)
@click.option("--executor", default="ray", show_default=True, help="`ray` or `inline`.")
@click.option(
    "--address", envvar="RAY_ADDRESS", help="The address of a running Ray cluster, or `auto`."
)
@click.option("--force", is_flag=True, help="Run finished evaluations again.")
@log_format_option
@as_json_option
def decode(
    load: Load,
    suite: str,
    text: str,
    selection: Selection,
    executor: str,
    address: str | None,
    log_format: LogFormat,
    *,
    force: bool,
    as_json: bool,
) -> int:
    """Evaluate the finished trainings of SUITE with another decoder, and print their scores.

    SUITE is the only one of bench.toml, or `quick`, unless named. Nothing is trained, and the board
    does not change. To add the decoder to the board, list it in `decoders` of the suite: the
    evaluations made here are then used. `bench ls decoders` lists decoders.

    Examples:
      bench decode quick --decoder beam:width=20
      bench decode scene-text --decoder lexicon:words=words.txt -m crnn
    """
    config = load()
    store = Store(config.results)
    decoder = parse_decoder(text)
    trials = [_with(trial, decoder) for trial in selection.select(grid.trials(config.suite(suite)))]
    decodable = [
        trial
        for trial in _unique(trials)
        if isinstance(trial.entry, TrainedEntry) and decoder.reads(trial.entry.loss.decoder)
    ]
    done = [trial for trial in decodable if all(map(store.is_done, trial.trainings))]
    code = say_faults(plan.make_plan(decodable, store).faults)
    if not done:
        raise BenchError(
            f"suite '{suite}' has no finished training that '{decoder.name}' can decode; "
            f"run: bench run {suite}",
            Exit.NOTHING,
        )
    status = plan.make_plan(done, store)
    missing = status.missing(force=force)
    tasks = [task for task in missing if isinstance(task, Evaluation)]
    failures: list[Failure] = []
    monitor = RunMonitor(
        store,
        suite=suite,
        executor=executor,
        durations=plan.durations(status),
        log_format=log_format,
    )
    if tasks:
        from bench.execution.schedule import execute, open_executor, opening_phase

        names = grid.task_names(done)
        opened = open_executor(executor, address)
        with monitor:
            monitor.phase(opening_phase(executor, address))
            failures = execute(tasks, names, store, opened, monitor=monitor)
    status = plan.make_plan(done, store)
    report(descriptions.evaluations(status), descriptions.plan_json(status, []), as_json=as_json)
    say_failures(failures, done, store)
    say_cancelled(monitor.cancelled, done)
    return Exit.FAILED if failures or monitor.cancelled else code


def _with(trial: Trial, decoder: Decoder) -> Trial:
    if not isinstance(trial.entry, TrainedEntry):
        return trial
    evaluations: dict[str, Evaluation] = {
        name: replace(evaluation, decoder=decoder)
        for name, evaluation in trial.evaluations.items()
        if isinstance(evaluation, TrainedEvaluation)
    }
    return Trial(replace(trial.entry, decoder=decoder), trial.seed, evaluations)


def _unique(trials: list[Trial]) -> list[Trial]:
    """Return the distinct trials: a suite may list several decoders for one training."""
    return [*{tuple(e.key for e in t.evaluations.values()): t for t in trials}.values()]

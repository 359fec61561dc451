"""The verb `sweep`: search parameters on validation data."""

from __future__ import annotations

import difflib
import math
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bench.cli.completion import complete_component
from bench.cli.terminal import Load, as_json_option, report, say, suite_argument
from bench.core.disk import require_writable
from bench.core.errors import BenchError, Exit
from bench.core.signals import interrupted
from bench.trials.leases import Leases

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.sweeps.report import Report
    from bench.sweeps.study import Study, StudyTrial
    from bench.sweeps.sweep import Sweep


def _finite(
    _context: click.Context, _option: click.Parameter, minutes: float | None
) -> float | None:
    # click's range accepts infinity and NaN.
    if minutes is not None and not math.isfinite(minutes):
        raise click.BadParameter(f"{minutes} is not a number of minutes; 0 sets no limit.")
    return minutes


@click.command()
@suite_argument
@click.option(
    "--train",
    metavar="GLOB",
    help="Search with the training data that match this glob. [default: `train` of the table]",
)
@click.option(
    "-m",
    "--model",
    shell_complete=complete_component("model"),
    metavar="GLOB",
    help="Search with the model that matches this glob. [default: `model` of the table]",
)
@click.option(
    "-l",
    "--loss",
    shell_complete=complete_component("loss"),
    metavar="GLOB",
    help="Search with the loss that matches this glob. [default: `loss` of the table]",
)
@click.option("--trials", type=click.IntRange(1), help="Stop after this many trials.")
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    callback=_finite,
    help="Stop after this many minutes; 0 sets no limit.",
)
@click.option(
    "--address", envvar="RAY_ADDRESS", help="The address of a running Ray cluster, or `auto`."
)
@click.option(
    "--promote",
    is_flag=True,
    help="Add the best trial to the suite in bench.toml; bench's own file is first copied into "
    "this folder.",
)
@as_json_option
@click.pass_obj
def sweep(
    load: Load,
    suite: str,
    train: str | None,
    model: str | None,
    loss: str | None,
    trials: int | None,
    minutes: float | None,
    address: str | None,
    *,
    promote: bool,
    as_json: bool,
) -> int:
    """Search the space in [suite.SUITE.sweep] for the lowest validation label error rate.

    SUITE is the only one of bench.toml, or `quick`, unless named. A sweep that was stopped resumes
    with the same command, also with a larger budget. Test sets are not read. --promote adds the
    best trial to the suite as an entry, which `bench run` then trains with all seeds. See `bench
    docs sweeps`.
    """
    from bench.sweeps import report as reports
    from bench.sweeps.study import Study
    from bench.sweeps.sweep import sweep_of

    config = load()
    spec = sweep_of(config.suite(suite), train=train, model=model, loss=loss)
    table = replace(
        spec.table,
        trials=trials or spec.table.trials,
        minutes=spec.table.minutes if minutes is None else minutes,
    )
    spec = replace(spec, table=table)
    study = Study(spec, config.results)
    if promote:
        _check_promotion(config, spec)
    study.prepare()
    _run(study, address)
    summary = reports.report_of(study)
    reports.write_report(summary, study.root)
    report(reports.as_text(summary), summary, as_json=as_json)
    say(f"written to {study.root}")
    if promote:
        _promote(config, spec, summary)
    return Exit.DONE if summary.best else Exit.FAILED


def _run(study: Study, address: str | None) -> None:
    from bench.sweeps.report import trial_line

    name, left = study.sweep.suite.name, study.left()
    budget, select = study.sweep.max_trials, study.sweep.base.recipe.select
    ended = sum(trial.ended for trial in study.trials())
    say(f"{name}: {ended} of {budget} trials have ended" + ("" if left else ", nothing to run"))
    if not left:
        return
    from bench.execution.ray_cluster import connected
    from bench.sweeps import tune

    def on_end(trial: StudyTrial) -> None:
        nonlocal ended
        ended += 1
        say(f"[{ended}/{budget}] trial {trial.number} {trial_line(trial, select)}")

    with Leases(study.root) as leases:
        if holder := leases.take("sweep"):
            raise BenchError(
                f"{study.root}: {holder} runs this sweep; wait for its end, or stop it"
            )
        with connected(address) as cluster:
            try:
                tune.run(study, on_end, lambda: interrupted() or cluster.is_lost)
            finally:
                cluster.check()


def _check_promotion(config: Config, sweep: Sweep) -> None:
    """Raise BenchError, before a search begins, where its result could not be written."""
    from bench.sweeps.promote import is_own, promoted_file, require_promotable

    require_promotable(config, sweep)
    file = promoted_file(config)
    require_writable(file.parent, f"--promote writes {file.name}, leave it out")
    if is_own(config):
        say(f"--promote will write {file}, a copy of bench's own {file.name} with the best trial")


def _promote(config: Config, sweep: Sweep, summary: Report) -> None:
    from bench.core.documents import write_bytes
    from bench.core.toml_text import encoded
    from bench.sweeps.promote import is_own, promoted_file, promoted_text

    text = promoted_text(config, sweep, summary)
    if text is None:
        say(f"{config.path} has this entry already; nothing to promote")
        return
    before, after = config.text.splitlines(), text.splitlines()
    for line in difflib.unified_diff(before, after, str(config.path), "promoted", lineterm=""):
        say(line)
    file = promoted_file(config)
    if is_own(config):
        write_bytes(file, text.encode())
    else:
        mode = stat.S_IMODE(file.stat().st_mode)
        write_bytes(file, encoded(text, file))
        file.chmod(mode)
    say(f"promoted; `bench run {sweep.suite.name}` trains it with all seeds")

"""The verb `sweep`."""

from __future__ import annotations

import difflib
import math
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bench.cli.terminal import EXITS, Load, as_json_option, interrupted, report, say, suite_argument
from bench.core.errors import Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.sweeps.report import Report
    from bench.sweeps.study import Study, Tried
    from bench.sweeps.sweep import Sweep


def _finite(
    _context: click.Context, _option: click.Parameter, minutes: float | None
) -> float | None:
    # A range refuses neither: NaN compares with nothing.
    if minutes is not None and not math.isfinite(minutes):
        raise click.BadParameter(f"{minutes} is no number of minutes; 0 is no bound.")
    return minutes


@click.command(epilog=EXITS)
@suite_argument
@click.option("-d", "--dataset", help="The dataset, a glob; else that of the table.")
@click.option("-m", "--model", help="The model, a glob; else that of the table.")
@click.option("-l", "--loss", help="The loss, a glob; else that of the table.")
@click.option("--trials", type=click.IntRange(1), help="The budget in trials; else the table's.")
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    callback=_finite,
    help="The budget in minutes; 0: no bound.",
)
@click.option("--address", envvar="RAY_ADDRESS", help="Of a running Ray cluster, or `auto`.")
@click.option("--promote", is_flag=True, help="Write the winner into bench.toml, and show how.")
@as_json_option
@click.pass_obj
def sweep(
    load: Load,
    suite: str,
    dataset: str | None,
    model: str | None,
    loss: str | None,
    trials: int | None,
    minutes: float | None,
    address: str | None,
    *,
    promote: bool,
    as_json: bool,
) -> int:
    """Search the space in [suite.SUITE.sweep] for the lowest validation CER.

    Stopped and run again, it goes on; with a larger budget too. The test split is not looked at:
    the winner, promoted, is an entry of the suite that `bench run` trains anew with all seeds.
    """
    from bench.sweeps import report as reports
    from bench.sweeps.study import Study
    from bench.sweeps.sweep import of

    config = load()
    wanted = of(config.suite(suite), dataset=dataset, model=model, loss=loss)
    table = replace(
        wanted.table,
        trials=trials or wanted.table.trials,
        minutes=wanted.table.minutes if minutes is None else minutes,
    )
    wanted = replace(wanted, table=table)
    study = Study(wanted, config.results)
    study.prepare()
    _run(study, address)
    found = reports.of(study)
    reports.write(found, study.root)
    report(reports.text(found), found, as_json=as_json)
    say(f"written to {study.root}")
    if promote:
        _promote(config, wanted, found)
    return Exit.DONE if found.best else Exit.FAILED


def _run(study: Study, address: str | None) -> None:
    from bench.sweeps.report import line

    name, left = study.sweep.suite.name, study.left()
    budget, select = study.sweep.trials, study.sweep.base.training.select
    ended = sum(one.ended for one in study.tried())
    say(f"{name}: {ended} of {budget} trials are ended" + ("" if left else ", nothing to run"))
    if not left:
        return
    from bench.execution.ray import connect
    from bench.sweeps import tune

    def told(tried: Tried) -> None:
        nonlocal ended
        ended += 1
        say(f"[{ended}/{budget}] trial {tried.number} {line(tried, select)}")

    with connect(address):
        tune.run(study, told, interrupted)


def _promote(config: Config, sweep: Sweep, found: Report) -> None:
    from bench.core.documents import write_bytes
    from bench.sweeps.promote import promoted

    text = promoted(config, sweep, found)
    if text is None:
        say(f"{config.path} has this trial already; nothing to promote")
        return
    before, after = config.text.splitlines(), text.splitlines()
    for line in difflib.unified_diff(before, after, str(config.path), "promoted", lineterm=""):
        say(line)
    # The file itself where it is reached by a link, readable for whom it was.
    file = config.path.resolve()
    mode = stat.S_IMODE(file.stat().st_mode)
    write_bytes(file, text.encode())
    file.chmod(mode)
    say(f"promoted; `bench run {sweep.suite.name}` trains it with all seeds")

"""The verbs of trials: run, ls, status, profile, show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bench import figures
from bench.cli.terminal import EXITS, Load, as_json_option, interrupted, report, say, suite_argument
from bench.cli.verbs.boards import write_board
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.profiling.phase import Outcome
    from bench.trials.grid import Trial
    from bench.trials.store import Store


Command = TypeVar("Command", bound=Callable[..., None])

_MOST_SEEDS = 100_000
_LONGEST_SEED = 1000  # digits: Python reads no endless ones
_BESIDE = "match a glob; those that SUITE does not list by their defaults, and on no board."
_SAMPLED = " and ".join(f"--{name}" for name in figures.SAMPLED)


class Seeds(click.ParamType[frozenset[int]]):
    """Numbers and ranges: `0,2-4`."""

    name = "seeds"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[int]:
        """Return the numbers."""
        found: set[int] = set()
        for part in value.split(","):
            first, dash, last = part.strip().partition("-")
            words = (first, last) if dash else (first,)
            if not all(word.isdecimal() and len(word) <= _LONGEST_SEED for word in words):
                self.fail(f"'{value}' is not a list of seeds like 0,2-4", param, ctx)
            low, high = int(first), int(last or first)
            if not 0 <= high - low < _MOST_SEEDS:
                fault = f"'{part}' is no range from a seed up to one less than {_MOST_SEEDS} above"
                self.fail(fault, param, ctx)
            found.update(range(low, high + 1))
        return frozenset(found)


@click.command(epilog=EXITS)
@suite_argument
@click.option("-d", "--dataset", "datasets", multiple=True, help="Only datasets that match a glob.")
@click.option("-m", "--model", "models", multiple=True, help=f"Only models that {_BESIDE}")
@click.option("-l", "--loss", "losses", multiple=True, help=f"Only losses that {_BESIDE}")
@click.option("--seeds", type=Seeds(), help="Only these of the suite's seeds, like 0,2-4.")
@click.option("--limit", type=click.IntRange(1), help="Only the first trials of the selection.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its price; run nothing.")
@click.option(
    "--executor",
    type=click.Choice(["ray", "inline"]),
    default="ray",
    show_default=True,
    help="Side by side on Ray, or one by one in this process.",
)
@click.option("--address", envvar="RAY_ADDRESS", help="Of a running Ray cluster, or `auto`.")
@click.option("--force", is_flag=True, help="Run again what is done.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first trial that fails.")
@click.option("--no-profile", is_flag=True, help="Measure no latency after the trials.")
@as_json_option
@click.pass_obj
def run(
    load: Load,
    suite: str,
    datasets: tuple[str, ...],
    models: tuple[str, ...],
    losses: tuple[str, ...],
    seeds: frozenset[int] | None,
    limit: int | None,
    executor: str,
    address: str | None,
    *,
    dry_run: bool,
    force: bool,
    fail_fast: bool,
    no_profile: bool,
    as_json: bool,
) -> int:
    """Run the trials of SUITE that are not done, then write and print its board.

    Between the two, while nothing else of it runs, models without a valid profile are profiled.
    """
    from bench.cli.render import descriptions as views
    from bench.trials import grid, plan
    from bench.trials.store import Store

    config = load()
    wanted = config.suite(suite)
    listed = {trial.key for trial in grid.trials(wanted)}
    trials = grid.trials(grid.widened(wanted, models=models, losses=losses))
    chosen = grid.select(
        trials,
        datasets=datasets,
        models=models,
        losses=losses,
        seeds=seeds,
        limit=limit,
    )
    store = Store(config.results)
    entries = plan.survey(chosen, store, trials)
    todo = [entry for entry in entries if force or not entry.record]
    if dry_run:
        report(views.dry_run(entries, todo), views.states(entries), as_json=as_json)
        return Exit.DONE
    say(
        f"{suite}: {len(entries) - len(todo)} of {len(entries)} trials are done"
        + (f"; running {len(todo)}" if todo else ", nothing to run")
    )
    failures, faults = [], []
    if todo:
        store.prepare()
        from bench.execution.run import execute, place

        pending = [entry.trial for entry in todo]
        try:
            failures = execute(
                pending,
                store,
                place(executor, address),
                fail_fast=fail_fast,
                anew=force,
                interrupted=interrupted,
            )
        except KeyboardInterrupt:
            if force:
                say("what was not run again keeps its earlier record; repeat --force to run all")
            raise
    if not no_profile:
        # Where nothing was to do, an answer is expected at once: `bench profile` tries again.
        done = [trial for trial in chosen if trial.key in listed and store.record(trial)]
        faults = _profile(done, store, retry=bool(todo)).faults
    beside = [trial for trial in chosen if trial.key not in listed]
    if beside:
        say(f"beside the board of {suite}:\n{views.status(plan.survey(beside, store))}")
    try:
        write_board(config, wanted, as_json=as_json)
    except BenchError as error:
        # What failed comes first: without it there may be nothing to draw.
        error.code = Exit.FAILED if failures else error.code
        raise
    finally:
        # Told also where the board is refused: its protocol or data may have moved.
        for failure in failures:
            say(f"failed: {failure.key}: {failure.message}", fg="red")
    return Exit.FAILED if failures or faults else Exit.DONE


@click.command("ls", epilog=EXITS)
@click.argument(
    "what", default="suites", type=click.Choice(["suites", "datasets", "models", "losses"])
)
@as_json_option
@click.pass_obj
def list_(load: Load, what: str, *, as_json: bool) -> None:
    """List the suites of bench.toml, or the components that it may name."""
    from bench.cli.render import descriptions as views
    from bench.config import missing as needs
    from bench.core import registry

    if what == "suites":
        settings = load()
        tables = {
            name: {"about": table.about, "needs": needs.of(table)}
            for name, table in settings.tables.items()
        }
        report(views.suites(settings), tables, as_json=as_json)
        return
    kinds: dict[str, registry.Kind] = {"datasets": "dataset", "models": "model", "losses": "loss"}
    known = registry.everything(kinds[what])
    data = {
        name: {"about": found.summary(), "version": found.version, "parameters": found.defaults()}
        for name, found in known.items()
    }
    report(views.components(kinds[what], known.values()), data, as_json=as_json)


@click.command(epilog=EXITS)
@suite_argument
@click.option("--why", is_flag=True, help="Say why a trial is stale or failed.")
@as_json_option
@click.pass_obj
def status(load: Load, suite: str, *, why: bool, as_json: bool) -> None:
    """Say which trials of SUITE are done, failed, stale or to do."""
    from bench.cli.render import descriptions as views
    from bench.trials import grid, plan
    from bench.trials.store import Store

    config = load()
    wanted = config.suite(suite)
    entries = plan.survey(grid.trials(wanted), Store(config.results))
    report(views.status(entries, why=why), views.states(entries), as_json=as_json)


@click.command(epilog=EXITS)
@suite_argument
@as_json_option
@click.pass_obj
def profile(load: Load, suite: str, *, as_json: bool) -> int:
    """Measure parameters, MACs and latencies of SUITE on this machine, where none are valid yet.

    `bench run` ends with the same. Keep the machine quiet: a figure that others disturbed is
    invalid, is shown as – with the reason (the exit code stays 0), and is measured again next time.
    """
    from bench.cli.render import descriptions as views
    from bench.trials import grid
    from bench.trials.store import Store

    config = load()
    wanted = config.suite(suite)
    outcome = _profile(grid.trials(wanted), Store(config.results))
    found = outcome.profiles
    report(views.profiles(found), views.measured(found), as_json=as_json)
    return Exit.FAILED if outcome.faults else Exit.DONE


def _picture_options(command: Command) -> Command:
    for name, about in reversed(figures.PICTURES.items()):
        command = click.option(f"--{name}", is_flag=True, help=about)(command)
    return command


@click.command(epilog=EXITS)
@click.argument("trial")
@_picture_options
@click.option("--sample", "samples", multiple=True, help=f"Of {_SAMPLED}: this sample's id.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where pictures go; else TRIAL/figures."
)
@as_json_option
@click.pass_obj
def show(
    load: Load,
    /,
    trial: str,
    samples: tuple[str, ...],
    out: Path | None,
    *,
    as_json: bool,
    **wanted: bool,
) -> None:
    """Show what TRIAL left: the beginning of its key, or its folder. Or draw pictures of it."""
    from bench.cli.render import descriptions as views
    from bench.trials.store import Failure, Store

    pictures = [name for name, asked in wanted.items() if asked]
    if (out and not pictures) or (samples and not {*pictures} & {*figures.SAMPLED}):
        raise click.UsageError(f"--sample goes with {_SAMPLED}, --out with any picture")
    store = Store(load().results)
    if pictures:
        _draw(store, trial, pictures, samples, out, as_json=as_json)
        return
    folder, found = store.find(trial)
    if isinstance(found, Failure):
        text = views.failure(found, folder)
    else:
        from bench.evaluation import predictions
        from bench.profiling import method

        table = predictions.of(folder, found)
        worst, located = predictions.worst(table, count=5), predictions.located(table)
        covering = [one for one in store.profiles() if method.covers(one, found.spec)]
        text = views.record(found, folder, worst, covering, located)
    report(text, found, as_json=as_json)


def _draw(
    store: Store,
    trial: str,
    pictures: Sequence[str],
    samples: Sequence[str],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    written = []
    for file in figures.draw(store, trial, pictures, samples, out):
        written.append(str(file))
        click.echo(file, err=as_json)
    if as_json:
        click.echo(json.dumps(written, indent=1))


def _profile(trials: Sequence[Trial], store: Store, *, retry: bool = True) -> Outcome:
    from bench.profiling import phase

    outcome = phase.profile(trials, store, say, retry=retry)
    for fault in outcome.faults:
        say(f"not profiled: {fault}", fg="red")
    return outcome

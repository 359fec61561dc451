"""The verbs of `bench`. Whatever is heavy is imported by the verb that needs it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import bench
from bench.errors import BenchError, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from bench.config import Config, Suite
    from bench.grid import Trial
    from bench.leaderboards.aggregate import Board
    from bench.profiling.phase import Outcome
    from bench.store import Store

Load = Callable[[], "Config"]

# Native code, such as a module that is being imported, may swallow the exception of a signal.
_signals: list[int] = []

_EXITS = """\b
Exit codes:
  0    done
  1    some trials failed, or could not be profiled
  2    usage or configuration
  3    nothing selected
  5    verification failed
  130  interrupted; the last line says what resumes
"""


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
            if not first.isdecimal() or (dash and not last.isdecimal()):
                self.fail(f"'{value}' is not a list of seeds like 0,2-4", param, ctx)
            found.update(range(int(first), int(last or first) + 1))
        return frozenset(found)


_suite = click.argument("suite", default="quick")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.group(epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bench.__version__, prog_name="bench")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The bench.toml; else the nearest one at or above this folder, else bench's own.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    envvar="BENCH_RESULTS",
    help="The folder of the records; else `results` beside bench.toml. [env: BENCH_RESULTS]",
)
@click.pass_context
def app(context: click.Context, path: Path | None, results: Path | None) -> None:
    """Fair, reproducible leaderboards for sequence recognition.

    Begin with `bench run`: it trains a small grid and prints its leaderboard.
    """

    def load() -> Config:
        from bench import config

        return config.load(path, results)

    context.obj = load


@app.command(epilog=_EXITS)
@_suite
@click.option("-d", "--dataset", "datasets", multiple=True, help="Only datasets that match a glob.")
@click.option("-m", "--model", "models", multiple=True, help="Only models that match a glob.")
@click.option("-l", "--loss", "losses", multiple=True, help="Only losses that match a glob.")
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
@_as_json
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
    from bench import grid, plan, views
    from bench.store import Store

    config = load()
    wanted = config.suite(suite)
    chosen = grid.select(
        grid.trials(wanted),
        datasets=datasets,
        models=models,
        losses=losses,
        seeds=seeds,
        limit=limit,
    )
    store = Store(config.results)
    entries = plan.survey(chosen, store)
    todo = [entry for entry in entries if force or not entry.record]
    if dry_run:
        _report(views.dry_run(entries, todo), views.states(entries), as_json=as_json)
        return Exit.DONE
    _say(
        f"{suite}: {len(entries) - len(todo)} of {len(entries)} trials are done"
        + (f"; running {len(todo)}" if todo else ", nothing to run")
    )
    failures = []
    if todo:
        store.prepare()
        from bench.execution.run import execute, place

        pending = [entry.trial for entry in todo]
        failures = execute(
            pending,
            store,
            place(executor, address),
            fail_fast=fail_fast,
            interrupted=lambda: bool(_signals),
        )
    if not no_profile:
        # Where nothing was to do, an answer is expected at once: `bench profile` tries again.
        done = [trial for trial in chosen if store.record(trial)]
        _profile(done, store, retry=bool(todo))
    try:
        _board(config, wanted, as_json=as_json)
    finally:
        # Told also where the board is refused: its protocol or data may have moved.
        for failure in failures:
            _say(f"failed: {failure.key}: {failure.message}", fg="red")
    return Exit.FAILED if failures else Exit.DONE


@app.command("ls", epilog=_EXITS)
@click.argument(
    "what", default="suites", type=click.Choice(["suites", "datasets", "models", "losses"])
)
@_as_json
@click.pass_obj
def list_(load: Load, what: str, *, as_json: bool) -> None:
    """List the suites of bench.toml, or the components that it may name."""
    from bench import registry, views

    if what == "suites":
        settings = load()
        tables = {name: table.about for name, table in settings.tables.items()}
        _report(views.suites(settings), tables, as_json=as_json)
        return
    kinds: dict[str, registry.Kind] = {"datasets": "dataset", "models": "model", "losses": "loss"}
    known = registry.everything(kinds[what])
    data = {
        name: {"about": found.summary(), "version": found.version, "parameters": found.defaults()}
        for name, found in known.items()
    }
    _report(views.components(kinds[what], known.values()), data, as_json=as_json)


@app.command(epilog=_EXITS)
@_suite
@click.option("--why", is_flag=True, help="Say why a trial is stale or failed.")
@_as_json
@click.pass_obj
def status(load: Load, suite: str, *, why: bool, as_json: bool) -> None:
    """Say which trials of SUITE are done, failed, stale or to do."""
    from bench import grid, plan, views
    from bench.store import Store

    config = load()
    wanted = config.suite(suite)
    entries = plan.survey(grid.trials(wanted), Store(config.results))
    _report(views.status(entries, why=why), views.states(entries), as_json=as_json)


@app.command(epilog=_EXITS)
@_suite
@_as_json
@click.pass_obj
def profile(load: Load, suite: str, *, as_json: bool) -> int:
    """Measure parameters, MACs and latencies of SUITE on this machine, where none are valid yet.

    `bench run` ends with the same. Keep the machine quiet: a figure that others disturbed is
    invalid, is shown as – with the reason (the exit code stays 0), and is measured again next time.
    """
    from bench import grid, views
    from bench.store import Store

    config = load()
    wanted = config.suite(suite)
    outcome = _profile(grid.trials(wanted), Store(config.results))
    found = outcome.profiles
    _report(views.profiles(found), views.measured(found), as_json=as_json)
    return Exit.FAILED if outcome.faults else Exit.DONE


@app.command(epilog=_EXITS)
@click.argument("trial")
@_as_json
@click.pass_obj
def show(load: Load, trial: str, *, as_json: bool) -> None:
    """Show what TRIAL left: the beginning of its key, or its folder."""
    from bench import views
    from bench.store import Failure, Store

    store = Store(load().results)
    folder, found = store.find(trial)
    if isinstance(found, Failure):
        text = views.failure(found, folder)
    else:
        from bench import predictions
        from bench.profiling import method

        worst = predictions.worst(folder, found, count=5)
        covering = [one for one in store.profiles() if method.covers(one, found.spec)]
        text = views.record(found, folder, worst, covering)
    _report(text, found, as_json=as_json)


class _Boards(click.Group):
    """A group that means its command `write` where none is named, and shows its options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `write` before words that begin with no command."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["write", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of `write`, then the commands."""
        self.commands["write"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@app.group(
    cls=_Boards,
    epilog=_EXITS,
    options_metavar="",
    subcommand_metavar="[SUITE] [OPTIONS] | diff A B",
)
def board() -> None:
    """Write and print the leaderboard of SUITE from its records.

    A board has versions, and a version one protocol and one set of data: where these have moved,
    nothing is written until --next starts the next version. `bench board SUITE` is short for
    `bench board write SUITE`; SUITE is `quick` unless named, and with --check all suites.
    """


@board.command(epilog=_EXITS)
@click.argument("suite", required=False)
@click.option("--next", "start_next", is_flag=True, help="Start the next version of the board.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; compare each version and the index with what the seeds in it give.",
)
@_as_json
@click.pass_obj
def write(load: Load, suite: str | None, *, start_next: bool, check: bool, as_json: bool) -> None:
    """Write and print the leaderboard of SUITE, or check what is written."""
    if check and start_next:
        raise click.UsageError("--check writes nothing and --next does; leave one of them out")
    if check:
        _check(load().leaderboards, suite, as_json=as_json)
    else:
        config = load()
        _board(config, config.suite(suite or "quick"), start_next=start_next, as_json=as_json)


@board.command(epilog=_EXITS)
@click.argument("before")
@click.argument("after")
@_as_json
@click.pass_obj
def diff(load: Load, before: str, after: str, *, as_json: bool) -> None:
    """Say what moved from the board BEFORE to the board AFTER, and why.

    A board is `suite/vN`, `suite` (its latest version), or the folder of a version.
    """
    from bench.leaderboards import difference, render, versions

    root = load().leaderboards
    found = difference.between(*(render.read(versions.find(w, root)) for w in (before, after)))
    _report(difference.text(found), found, as_json=as_json)


def main() -> NoReturn:
    """Run the command line and end with a documented exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        sys.exit(app(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except BenchError as error:
        _say(f"bench: {error}", fg="red")
        sys.exit(error.code)
    except (click.Abort, KeyboardInterrupt):
        _say(f"interrupted; what is done is kept, this resumes: {_command_line()}", fg="red")
        sys.exit(Exit.INTERRUPTED)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    _signals.append(number)
    raise KeyboardInterrupt


def _command_line() -> str:
    # --force would begin again with what this run had already done.
    return shlex.join(["bench", *(word for word in sys.argv[1:] if word != "--force")])


def _profile(trials: Sequence[Trial], store: Store, *, retry: bool = True) -> Outcome:
    from bench.profiling import phase

    outcome = phase.profile(trials, store, _say, retry=retry)
    for fault in outcome.faults:
        _say(f"not profiled: {fault}", fg="red")
    return outcome


def _board(config: Config, suite: Suite, *, as_json: bool, start_next: bool = False) -> None:
    from bench import grid, plan
    from bench.leaderboards import aggregate, index, render, versions
    from bench.store import Store

    store = Store(config.results)
    entries = plan.survey(grid.trials(suite), store)
    version = versions.current(suite, config.leaderboards, start_next=start_next)
    made: Board = aggregate.board(suite, entries, list(store.profiles()), version)
    versions.guard(made, config.leaderboards)
    folder = render.write(made, config.leaderboards)
    index.write(config.leaderboards)
    _report(render.text(made), made, as_json=as_json)
    _say(f"written to {folder}")


def _check(root: Path, suite: str | None, *, as_json: bool) -> None:
    from bench.leaderboards import versions
    from bench.leaderboards.check import check

    checked = [versions.name(folder) for folder in check(root, suite)]
    _report(f"as their seeds give them: {', '.join(checked)}", checked, as_json=as_json)


def _say(sentence: str, **style: Any) -> None:  # noqa: ANN401 (click's own)
    # click knows terminals, but not https://no-color.org.
    colour = False if os.environ.get("NO_COLOR") else None
    click.secho(sentence, err=True, color=colour, **style)


def _report(text: str, data: object, *, as_json: bool) -> None:
    """Print `data` as the one document on stdout and the text on stderr, or just the text."""
    if as_json:
        import msgspec

        click.echo(text, err=True)
        click.echo(json.dumps(msgspec.to_builtins(data), indent=1, ensure_ascii=False))
    else:
        click.echo(text)

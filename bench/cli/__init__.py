"""The verbs of `bench`. Whatever is heavy is imported by the verb that needs it."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

import bench
from bench.cli.terminal import EXITS, catch_signals, command_line, say
from bench.cli.verbs import boards, comparisons, data, score, sweeps, trials, verification
from bench.core.errors import BenchError, Exit

if TYPE_CHECKING:
    from bench.config.bench_toml import Config


@click.group(epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"]})
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
@click.option(
    "--data",
    "prepared",
    type=click.Path(path_type=Path),
    envvar="BENCH_DATA",
    help="The folder of prepared data; else `data` beside bench.toml. [env: BENCH_DATA]",
)
@click.pass_context
def app(
    context: click.Context, path: Path | None, results: Path | None, prepared: Path | None
) -> None:
    """Fair, reproducible leaderboards for sequence recognition.

    Begin with `bench run`: it trains a small grid and prints its leaderboard.
    """

    def load() -> Config:
        from bench.config import bench_toml as config
        from bench.data.store import data_dir as home

        found = config.load(path, results)
        home.settle(prepared or found.data)
        return found

    context.obj = load


for command in (
    trials.run,
    trials.list_,
    trials.status,
    trials.profile,
    trials.show,
    data.data,
    sweeps.sweep,
    boards.board,
    score.score,
    comparisons.compare,
    verification.verify,
):
    app.add_command(command)


def main() -> NoReturn:
    """Run the command line and end with a documented exit code."""
    catch_signals()
    for stream in (sys.stdout, sys.stderr):
        # A terminal without ± or – shows ? there; a board must not end in a traceback for it.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(app(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except BenchError as error:
        say(f"bench: {error}", fg="red")
        sys.exit(error.code)
    except OSError as error:
        # A full disk, a folder that nobody may write into, a file where a folder should be.
        where = f"{error.filename}: " if error.filename else ""
        say(f"bench: {where}{error.strerror or error}", fg="red")
        sys.exit(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        say(f"interrupted; what is done is kept, this resumes: {command_line()}", fg="red")
        sys.exit(Exit.INTERRUPTED)

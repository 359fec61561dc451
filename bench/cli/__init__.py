"""The command line: a table of verbs, each of which is imported when it is called."""

from __future__ import annotations

import sys
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bench.cli.lazy import LazyGroup, LazyVerb
from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import EXITS, say, wide_option
from bench.core.errors import BenchError, Exit, one_line, os_error
from bench.core.signals import interrupted, resume_sentence

if TYPE_CHECKING:
    from bench.config.bench_toml import Config

_VERBS = {
    "init": LazyVerb("bench.cli.verbs.init:init", "Write a bench.toml to begin with."),
    "run": LazyVerb("bench.cli.verbs.run:run", "Train and evaluate a suite; print its board."),
    "ls": LazyVerb(
        "bench.cli.verbs.listing:list_", "List suites, data sets, models, losses and so on."
    ),
    "status": LazyVerb(
        "bench.cli.verbs.status:status", "Show which tasks are done, running or left."
    ),
    "logs": LazyVerb("bench.cli.verbs.logs:logs", "Print the log of a task; -f follows it."),
    "cancel": LazyVerb("bench.cli.verbs.cancel:cancel", "Stop a running task or suite."),
    "board": LazyVerb("bench.cli.verbs.boards:board", "Print, publish and check leaderboards."),
    "view": LazyVerb("bench.cli.verbs.view:view", "Show boards in a browser."),
    "show": LazyVerb("bench.cli.verbs.show:show", "Show or draw one training or evaluation."),
    "compare": LazyVerb(
        "bench.cli.verbs.comparisons:compare", "Compare two results, with a p-value."
    ),
    "decode": LazyVerb("bench.cli.verbs.decode:decode", "Evaluate trainings with another decoder."),
    "profile": LazyVerb("bench.cli.verbs.profile:profile", "Measure parameters and latencies."),
    "sweep": LazyVerb("bench.cli.verbs.sweeps:sweep", "Search parameters on validation data."),
    "read": LazyVerb("bench.cli.verbs.read:read", "Read your own images."),
    "export": LazyVerb("bench.cli.verbs.export:export", "Export a trained network to a folder."),
    "verify": LazyVerb("bench.cli.verbs.verify:verify", "Compute scores again from predictions."),
    "pack": LazyVerb("bench.cli.verbs.packs:pack", "Pack finished rows into one file."),
    "accept": LazyVerb(
        "bench.cli.verbs.packs:accept", "Check a pack that others made and add its rows."
    ),
    "score": LazyVerb("bench.cli.verbs.score:score", "Score two text files."),
    "new": LazyVerb("bench.cli.verbs.new:new", "Write a component of your own, with its test."),
    "check": LazyVerb("bench.cli.verbs.check:check", "Check a component against its contract."),
    "data": LazyVerb("bench.cli.verbs.data:data", "Prepare, check and show data sets."),
    "doctor": LazyVerb("bench.cli.verbs.doctor:doctor", "Check this machine; say what to fix."),
    "completion": LazyVerb("bench.cli.verbs.completion:completion", "Print a shell's completion."),
    "schema": LazyVerb("bench.cli.verbs.schema:schema", "Print the JSON Schema of bench.toml."),
    "docs": LazyVerb("bench.cli.verbs.docs:docs", "List and print pages of documentation."),
}


_PLUGINS = "bench.plugins"
"""The key of the files of --plugin in the meta of click's context."""


def _keep_plugins(
    context: click.Context, _parameter: click.Parameter, files: tuple[Path, ...]
) -> None:
    # The option is accepted before and after the verb.
    context.meta.setdefault(_PLUGINS, []).extend(files)


_plugin_option = click.Option(
    ["--plugin"],
    type=LOCAL_PATH,
    multiple=True,
    expose_value=False,
    callback=_keep_plugins,
    metavar="FILE",
    help="A Python file with components of your own; added to `plugins` of bench.toml.",
)


def _print_version(
    context: click.Context,
    _parameter: click.Parameter,
    asked: bool,  # noqa: FBT001 (click's)
) -> None:
    if not asked or context.resilient_parsing:
        return
    from bench.core.version import DISTRIBUTION, __version__, conflicting_distributions

    click.echo(f"bench, version {__version__}")
    if others := conflicting_distributions():
        names = ", ".join(others)
        say(
            f"warning: {names} is installed too, and has a package `bench` of its own; install "
            f"{DISTRIBUTION} in an environment without it, because each overwrites files of the "
            "other",
            fg="yellow",
        )
    context.exit()


_version_option = click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version of bench and exit.",
)


@click.group(
    cls=LazyGroup,
    verbs=_VERBS,
    shared=(wide_option, _plugin_option),
    params=[wide_option, _plugin_option],
    epilog=EXITS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@_version_option
@click.option(
    "--config",
    "path",
    type=LOCAL_PATH,
    help="The bench.toml to use. [default: the nearest in this folder or above, else bench's own]",
)
@click.option(
    "--results",
    type=LOCAL_PATH,
    envvar="BENCH_RESULTS",
    help="The folder of results. [default: results beside bench.toml; env: BENCH_RESULTS]",
)
@click.option(
    "--data",
    "prepared",
    type=LOCAL_PATH,
    envvar="BENCH_DATA",
    help="The folder of prepared data. [default: data beside bench.toml; env: BENCH_DATA]",
)
@click.pass_context
def app(
    context: click.Context, path: Path | None, results: Path | None, prepared: Path | None
) -> None:
    """Fair, reproducible leaderboards for sequence recognition.

    First steps:
      bench init    write a bench.toml to begin with
      bench doctor  check this machine
      bench run     train a small grid in minutes, and print its leaderboard
    """

    def load() -> Config:
        from bench.config import bench_toml
        from bench.core import registry
        from bench.data.store import data_dir
        from bench.evaluation.metrics import metric

        config = bench_toml.load(path, results, context.meta.get(_PLUGINS, []))
        data_dir.set_data_folder(prepared or config.data)
        for fault in [*registry.plugin_faults(), *metric.plugin_faults()]:
            say(f"warning: {fault}", fg="yellow")
        return config

    context.obj = load


def main() -> NoReturn:
    """Run the command line and end with a documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot encode ± or – shows ? instead of ending in a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(_run())
    except (click.Abort, KeyboardInterrupt):
        say(f"interrupted; {resume_sentence()}", fg="red")
        sys.exit(Exit.INTERRUPTED)


def _run() -> int:
    """Run the command line, print errors, and return the exit code.

    Raises:
        KeyboardInterrupt: A signal arrived, even if native code lost its exception.
    """
    try:
        code: int = app(prog_name="bench", standalone_mode=False)
    except click.Abort:
        raise
    except Exception as error:  # noqa: BLE001 (unexpected errors are raised again)
        if interrupted():
            raise KeyboardInterrupt from None
        return _report(error)
    if code and interrupted():
        raise KeyboardInterrupt
    return code


def _report(error: Exception) -> Exit:
    """Print an expected error as one sentence and return its exit code; raise any other again."""
    match error:
        case click.ClickException():
            lines = StringIO()
            error.show(lines)
            say(lines.getvalue().rstrip())
        case BenchError():
            say(f"bench: {one_line(error)}", fg="red")
            return error.code
        case OSError():
            # For example a full disk, or a folder without permission to write.
            say(f"bench: {os_error(error)}", fg="red")
        case _:
            raise error
    return Exit.USAGE

"""The verb `new`: a component of one's own, written as a working example to change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, print_text
from bench.core import registry
from bench.core.errors import BenchError
from bench.core.text_table import Table
from bench.scaffolding.new_component import KINDS, NewComponent, NewKind

if TYPE_CHECKING:
    from bench.config.bench_toml import Config


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--out", "folder", type=LOCAL_PATH, default=".", help="The folder of the files; else this one."
)
@click.option("--no-list", "unlisted", is_flag=True, help="Leave bench.toml as it is.")
@click.pass_obj
def new(load: Load, kind: NewKind, name: str, folder: Path, *, unlisted: bool) -> None:
    """Write a component of your own: NAME.py, which works and is to be changed, and its test.

    The file is added to `plugins` of your bench.toml, so that every command knows NAME at once.
    Nothing is overwritten.

    Example:
      bench new loss my-loss
      bench check my_loss.py
      bench run -l my-loss
    """
    config = load()
    component = NewComponent(kind, name, folder)
    _require_new(config, kind, name)
    component.write()
    listed = not unlisted and _list(config, component.file)
    plugin = "" if listed else f" --plugin {_path_text(component.file)}"
    steps = {f"bench check {_path_text(component.file)}": "check the contract, after every change"}
    steps[f"pytest {_path_text(component.test)}"] = "the same as tests"
    steps |= _next_steps(config, kind, name, plugin)
    table = Table(["", ""], [[command, purpose] for command, purpose in steps.items()])
    where = f"; {config.path} lists it" if listed else ""
    print_text(
        [f"{_path_text(component.file)} and {component.test.name} are written{where}. Next:", table]
    )


def _require_new(config: Config, kind: NewKind, name: str) -> None:
    """Raise BenchError if a component has the name."""
    from bench.evaluation.metrics import all_metrics

    names = all_metrics().keys() if kind == "metric" else registry.names(kind)
    if name in names or (kind == "dataset" and name in config.datasets):
        raise BenchError(f"there is a {kind} '{name}' already; take another name")


def _list(config: Config, file: Path) -> bool:
    """Add a file to `plugins` of a bench.toml that is not bench's own; return whether it is."""
    from bench.config.new_plugin import with_plugin
    from bench.core.documents import write_bytes
    from bench.core.toml_text import encoded

    home = config.path.parent.absolute()
    if home != config.leaderboards.parent.absolute():
        return False
    path = Path(os.path.relpath(file.absolute(), home)).as_posix()
    write_bytes(config.path, encoded(with_plugin(config.text, path), config.path))
    return True


def _next_steps(config: Config, kind: NewKind, name: str, plugin: str) -> dict[str, str]:
    """Return the commands that use a component, each with its purpose."""
    suite = next(iter(config.tables), "quick")
    if kind in {"loss", "model"}:
        option = "-l" if kind == "loss" else "-m"
        kinds = "losses" if kind == "loss" else "models"
        run = f"bench run {suite} {option} {name}{plugin}"
        return {
            run: "train it in the suite's grid, off the board",
            f'{kinds} = [..., "{name}"]': f"in [suite.{suite}] of bench.toml: a row of the board",
        }
    if kind == "decoder":
        return {
            f"bench decode {suite} --decoder {name}{plugin}": "decode the suite's trainings by it"
        }
    lines = {
        "dataset": (
            f'datasets = ["{name}"]',
            "in [suite.NAME] of bench.toml: train and test on it",
        ),
        "recognizer": (f'recognizers = ["{name}"]', "in [suite.NAME] of bench.toml: rank it"),
        "metric": (f'metrics = ["{name}"]', "in [protocol.NAME] of bench.toml: score it"),
    }
    line, purpose = lines[kind]
    return {line: purpose}


def _path_text(path: Path) -> str:
    """Return a path as a command takes it."""
    return Path(os.path.normpath(path)).as_posix()

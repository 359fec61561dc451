"""The winner of a sweep as an entry of bench.toml."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import tomlkit

from bench.core.errors import BenchError, Exit
from bench.core.toml_lines import last_line_of
from bench.trials import grid

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core.components import Component
    from bench.sweeps.report import Report
    from bench.sweeps.sweep import Sweep
    from bench.trials.grid import Trial


def promoted(config: Config, sweep: Sweep, report: Report) -> str | None:
    """Return bench.toml with the winner in it, or None where the suite has such a trial already.

    Raises BenchError where no trial was trained to its end, or the file is not the user's.
    """
    best = next((one for one in report.trials if one.key == report.best), None)
    if best is None:
        raise BenchError(
            f"sweep {report.sweep} trained no trial to its end, so there is nothing to promote; "
            "raise 'trials' or 'minutes' in its table",
            Exit.NOTHING,
        )
    home = config.leaderboards.parent
    if home.absolute() != config.path.parent.absolute():
        raise BenchError(
            f"{config.path} is bench's own and stays as it is; copy it to {home} and promote again"
        )
    winner = sweep.trial(best.params)
    if any(_combination(trial) == _combination(winner) for trial in grid.trials(sweep.suite)):
        return None
    entry = _entry(sweep, report, winner)
    text = _inserted(config.text, entry, last_line_of(config.text, f"suite.{sweep.suite.name}"))
    if _document(text) != _with(entry, _document(config.text), sweep.suite.name):
        raise BenchError(
            f"{config.path}: the winner fits in nowhere as this file is written; "
            f"write suite '{sweep.suite.name}' as tables, or add it yourself: {'; '.join(entry)}"
        )
    return text


def _inserted(text: str, entry: list[str], place: int) -> str:
    """Return `text` with the lines of `entry` behind its line `place`, in its line endings."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = (text if text.endswith("\n") else text + ending).split("\n")
    own = [line + ending[:-1] for line in ["", *entry]]
    return "\n".join([*lines[:place], *own, *lines[place:]])


def _document(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _with(entry: list[str], document: dict[str, Any] | None, suite: str) -> dict[str, Any]:
    """Return `document` with `entry` as the last tuned one of `suite`."""
    assert document, "what bench.toml was read from is TOML"  # noqa: S101
    _, *own = entry
    tuned = document["suite"][suite].setdefault("tuned", [])
    tuned.append(tomllib.loads("\n".join(own)))
    return document


def _entry(sweep: Sweep, report: Report, winner: Trial) -> list[str]:
    usual, own = asdict(sweep.suite.training), asdict(winner.training)
    recipe = {name: value for name, value in own.items() if value != usual[name]}
    tuning = {
        "sweep": report.sweep,
        "sampler": report.sampler,
        "trials": len(report.trials),
        "epochs": report.epochs,
    }
    return [
        f"[[suite.{sweep.suite.name}.tuned]]",
        f"dataset = {_component(winner.dataset)}",
        f"model = {_component(winner.model)}",
        f"loss = {_component(winner.loss)}",
        *([f"training = {_inline(recipe)}"] if recipe else []),
        f"tuning = {_inline(tuning)}",
    ]


def _combination(trial: Trial) -> tuple[object, ...]:
    return trial.dataset, trial.model, trial.loss, trial.training


def _component(component: Component) -> str:
    own = component.changed()
    return _inline({"name": component.name, **own}) if own else _value(component.name)


def _inline(table: dict[str, Any]) -> str:
    return "{ " + ", ".join(f"{name} = {_value(value)}" for name, value in table.items()) + " }"


def _value(value: object) -> str:
    return tomlkit.item([*value] if isinstance(value, tuple) else value).as_string()

"""The best trial of a sweep as an entry of bench.toml."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from bench.config.suite import Tuning
from bench.core.errors import BenchError, Exit
from bench.core.files import file_parameters
from bench.core.toml_lines import last_line_of

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import TrainedEntry
    from bench.core.components import Decoder
    from bench.sweeps.report import Report
    from bench.sweeps.sweep import Sweep


def promoted_file(config: Config) -> Path:
    """Return the file to write: that of the suite, or bench.toml in this folder for bench's own."""
    if is_own(config):
        return _home(config) / config.path.name
    # The file that a link points to.
    return config.path.resolve()


def is_own(config: Config) -> bool:
    """Return whether the suites are those of bench's own bench.toml, which is not changed."""
    return _home(config).absolute() != config.path.parent.absolute()


def require_promotable(config: Config, sweep: Sweep) -> None:
    """Raise BenchError if no entry can be inserted, before hours are spent on a search."""
    tuning = Tuning(sweep.key, "", trials=1, validations=1)
    entry = replace(sweep.entry, label="")
    if _with_table(config, sweep, _table(sweep, tuning, entry, _home(config))) is None:
        raise BenchError(
            f"{config.path}: --promote cannot insert an entry into this file; write suite "
            f"'{sweep.suite.name}' as tables, or leave --promote out and add the entry yourself"
        )


def promoted_text(config: Config, sweep: Sweep, report: Report) -> str | None:
    """Return bench.toml with the best trial as an entry of its suite.

    Returns:
        The new text, or None if the suite has such an entry already.

    Raises:
        BenchError: No trial was trained to its end, or the file spells the suite in a way that
            leaves no place for a table.
    """
    best = next((trial for trial in report.trials if trial.key == report.best), None)
    if best is None:
        raise BenchError(
            f"sweep {report.sweep} trained no trial to its end, so there is nothing to promote; "
            "raise 'trials' or 'minutes' in its table",
            Exit.NOTHING,
        )
    winner = sweep.training(best.params)
    entry = replace(
        sweep.entry,
        model=winner.model,
        loss=winner.loss,
        input=winner.input,
        recipe=winner.recipe,
        label="",
    )
    if entry in [replace(other, label="", tuning=None) for other in sweep.suite.entries]:
        return None
    trials = len(report.trials)
    tuning = Tuning(report.sweep, report.sampler, trials=trials, validations=report.validations)
    lines = _table(sweep, tuning, entry, _home(config))
    text = _with_table(config, sweep, lines)
    if text is None:
        raise BenchError(
            f"{config.path}: --promote cannot insert the entry into this file; write suite "
            f"'{sweep.suite.name}' as tables, or add it yourself: {'; '.join(lines)}"
        )
    return text


def _home(config: Config) -> Path:
    """Return the folder that paths in bench.toml are relative to."""
    return config.leaderboards.parent


def _with_table(config: Config, sweep: Sweep, lines: list[str]) -> str | None:
    """Return bench.toml with the lines of an entry; None if other entries would change."""
    text = _insert(config.text, lines, last_line_of(config.text, f"suite.{sweep.suite.name}"))
    inserted = _parse(text) == _with_entry(lines, _parse(config.text), sweep.suite.name)
    return text if inserted else None


def _insert(text: str, entry: list[str], after: int) -> str:
    """Return `text` with the lines of `entry` after line number `after`, in its line endings."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = (text if text.endswith("\n") else text + ending).split("\n")
    inserted = [line + ending[:-1] for line in ["", *entry]]
    return "\n".join([*lines[:after], *inserted, *lines[after:]])


def _parse(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _with_entry(entry: list[str], document: dict[str, Any] | None, suite: str) -> dict[str, Any]:
    """Return `document` with `entry` as the last tuned entry of `suite`."""
    assert document, "bench.toml was read before"  # noqa: S101
    _, *assignments = entry
    tuned = document["suite"][suite].setdefault("tuned", [])
    tuned.append(tomllib.loads("\n".join(assignments)))
    return document


def _table(sweep: Sweep, tuning: Tuning, entry: TrainedEntry, home: Path) -> list[str]:
    """Return the lines of a `[[suite.NAME.tuned]]` table in the folder `home`."""
    recipe = entry.recipe.changed()
    if usual := sweep.suite.recipe:
        values, base = entry.recipe.values(), usual.values()
        recipe = {name: value for name, value in values.items() if value != base[name]}
    decoder = _with_relative_files(entry.decoder, home).toml()
    return [
        f"[[suite.{sweep.suite.name}.tuned]]",
        f"model = {_toml(_model(entry))}",
        f"loss = {_toml(entry.loss.toml())}",
        *([f"decoder = {_toml(decoder)}"] if decoder != "greedy" else []),
        *([f"recipe = {_toml(recipe)}"] if recipe else []),
        f"tuning = {_toml(asdict(tuning))}",
    ]


def _model(entry: TrainedEntry) -> str | dict[str, Any]:
    """Return the model of an entry, with its input and training data where they are its own."""
    usual = asdict(entry.model.default_input)
    own: dict[str, Any] = {}
    changed = {name: v for name, v in asdict(entry.input).items() if v != usual[name]}
    if changed:
        own["input"] = changed
    if entry.train:
        own["train"] = [data.toml() for data in entry.train]
    model = entry.model.toml()
    if not own:
        return model
    return ({"name": model} if isinstance(model, str) else model) | own


def _with_relative_files(decoder: Decoder, home: Path) -> Decoder:
    """Return a decoder whose files are named from `home` where they are below it."""
    files = {name: getattr(decoder, name) for name in file_parameters(type(decoder))}
    relative = {
        name: Path(file).relative_to(home).as_posix()
        for name, file in files.items()
        if file is not None and Path(file).is_relative_to(home)
    }
    return replace(decoder, **relative)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return tomlkit.item(value).as_string()

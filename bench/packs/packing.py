"""Finished rows of a suite to a pack."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.leaderboards import verification
from bench.packs.pack_file import Manifest, check_person, entry_name, to_bytes
from bench.trials import grid
from bench.trials.grid import row_labels
from bench.trials.store import RECORDS, Store, content

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Entry
    from bench.trials.records import Record
    from bench.trials.specs import Task, Trial


@dataclass(frozen=True)
class Packed:
    """A pack that is to be written.

    Attributes:
        content: Its bytes.
        rows: The label of each row in it, with how many evaluations it has and lacks.
        weights: The sizes of the weights in it, together, in bytes.
    """

    content: bytes
    rows: dict[str, tuple[int, int]]
    weights: int


def pack(
    config: Config, suite: str, globs: Sequence[str] = (), *, by: str = "", weights: bool = False
) -> Packed:
    """Return what is done of a suite as a pack.

    Args:
        config: The bench.toml that has the suite.
        suite: Its name.
        globs: Of the labels of rows, as its board prints them; empty: all rows.
        by: Who ran them, as boards should print it.
        weights: Whether the weights of trainings go along.

    Raises:
        BenchError: No row matches a glob, nothing of the rows is done (nothing selected), or a
            record is not what its files give (unverified).
    """
    if by:
        check_person(by)
    store = Store(config.results)
    files: dict[str, bytes] = {}
    counts: dict[str, tuple[int, int]] = {}
    for label, trials in _chosen(grid.trials(config.suite(suite)), globs).items():
        evaluations = [each for trial in trials for each in trial.evaluations.values()]
        done = [each for each in evaluations if store.record(each)]
        counts[label] = len(done), len(evaluations) - len(done)
        for evaluation in done:
            files |= _files(evaluation, store, weights=weights)
            if evaluation.training:
                files |= _files(evaluation.training, store, weights=weights)
    if not files:
        raise BenchError(
            f"suite '{suite}': nothing of these rows has run here; run: bench run {suite}",
            Exit.NOTHING,
        )
    _verify(config, store, files)
    checksums = {name: hashlib.sha256(held).hexdigest() for name, held in sorted(files.items())}
    manifest = Manifest(suite, by, bench.__version__, checksums)
    size = sum(len(held) for name, held in files.items() if name.endswith(".safetensors"))
    return Packed(to_bytes(manifest, files), counts, size)


def _chosen(trials: Sequence[Trial], globs: Sequence[str]) -> dict[str, list[Trial]]:
    """Return the trials of the rows whose label matches a glob, by label."""
    by_entry: dict[Entry, list[Trial]] = {}
    for trial in trials:
        by_entry.setdefault(trial.entry, []).append(trial)
    rows = dict(zip(row_labels([*by_entry]), by_entry.values(), strict=True))
    for glob in globs:
        if not any(fnmatchcase(label, glob) for label in rows):
            hint = did_you_mean(glob, rows)
            raise BenchError(f"no row of the suite matches '{glob}'{hint}", Exit.NOTHING)
    return {
        label: each
        for label, each in rows.items()
        if not globs or any(fnmatchcase(label, glob) for glob in globs)
    }


def _files(task: Task, store: Store, *, weights: bool) -> dict[str, bytes]:
    """Return the record of a task and the files that it names, as a pack has them."""
    folder = store.folder(task)
    record: Record | None = store.record(task)
    if record is None:
        return {}
    document = RECORDS[task.kind]
    files = {entry_name(task.kind, task.key, document): (folder / document).read_bytes()}
    for name in record.files:
        if weights or Path(name).suffix != ".safetensors":
            files[entry_name(task.kind, task.key, name)] = content(folder, record, name)
    return files


def _verify(config: Config, store: Store, files: Sequence[str] | dict[str, bytes]) -> None:
    """Raise BenchError where a record would not be accepted, so that it is not even sent."""
    keys = sorted({name.split("/")[1] for name in files})
    verified = verification.verify(store, config.leaderboards, config.protocols, keys)
    if verified.faults:
        more = len(verified.faults) - 1
        raise BenchError(
            f"{verified.faults[0]}{f' (and {more} more faults)' if more else ''}; `bench verify` "
            "lists what is wrong, and nothing is packed until it is right",
            Exit.UNVERIFIED,
        )

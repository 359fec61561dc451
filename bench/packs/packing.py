"""Pack finished rows of a suite."""

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
from bench.packs.pack_file import Manifest, check_person, entry_name, pack_bytes
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
    """A pack that has not been written yet.

    Attributes:
        content: The bytes of the file.
        rows: Numbers of finished and of missing evaluations of each row, by label.
        weights: Total size of the weights in it, in bytes.
    """

    content: bytes
    rows: dict[str, tuple[int, int]]
    weights: int


def pack_suite(
    config: Config, suite: str, globs: Sequence[str] = (), *, by: str = "", weights: bool = False
) -> Packed:
    """Return the finished evaluations and trainings of a suite as a pack.

    Args:
        config: The bench.toml that has the suite.
        suite: The name of the suite.
        globs: Globs that match labels of rows, as on the board; empty for all rows.
        by: The name of the person who ran the rows, as boards should print it.
        weights: Whether to include the weights of trainings.

    Raises:
        BenchError: No row matches a glob, the rows have no finished evaluation (nothing), or a
            record fails verification (unverified).
    """
    if by:
        check_person(by)
    store = Store(config.results)
    files: dict[str, bytes] = {}
    counts: dict[str, tuple[int, int]] = {}
    for label, trials in _selected_rows(grid.trials(config.suite(suite)), globs).items():
        evaluations = [each for trial in trials for each in trial.evaluations.values()]
        done = [each for each in evaluations if store.record(each)]
        counts[label] = len(done), len(evaluations) - len(done)
        for evaluation in done:
            files |= _record_files(evaluation, store, weights=weights)
            if evaluation.training:
                files |= _record_files(evaluation.training, store, weights=weights)
    if not files:
        raise BenchError(
            f"suite '{suite}': these rows have no finished evaluation; run: bench run {suite}",
            Exit.NOTHING,
        )
    _require_verified(config, store, files)
    checksums = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    manifest = Manifest(suite, by, bench.__version__, checksums)
    size = sum(len(data) for name, data in files.items() if name.endswith(".safetensors"))
    return Packed(pack_bytes(manifest, files), counts, size)


def _selected_rows(trials: Sequence[Trial], globs: Sequence[str]) -> dict[str, list[Trial]]:
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


def _record_files(task: Task, store: Store, *, weights: bool) -> dict[str, bytes]:
    """Return the record of a task and the files that it names, by their names in a pack."""
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


def _require_verified(
    config: Config, store: Store, files: Sequence[str] | dict[str, bytes]
) -> None:
    """Raise BenchError if a record would be refused by whoever gets the pack."""
    keys = sorted({name.split("/")[1] for name in files})
    verified = verification.verify(store, config.leaderboards, config.protocols, keys)
    if verified.faults:
        more = len(verified.faults) - 1
        raise BenchError(
            f"{verified.faults[0]}{f' (and {more} more faults)' if more else ''}; fix all faults "
            "that `bench verify` lists, then pack again",
            Exit.UNVERIFIED,
        )

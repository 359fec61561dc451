"""What each trial of a board got wrong on each sample: all that its intervals and ties follow from.

It stands beside the board as `samples.csv`, so that they can be computed again where no record is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.trials.store import PREDICTIONS, Failure, content

if TYPE_CHECKING:
    from bench.trials.plan import Entry
    from bench.trials.store import Record, Store

FILE = "samples.csv"
_COLUMNS = ("dataset", "sample", "length")


@dataclass
class Samples:
    """The N scored samples of a dataset: `ids`, `lengths`, and by trial the `edits` of each."""

    ids: list[str]
    lengths: list[int]
    edits: dict[str, list[int]] = field(default_factory=dict)


def gather(entries: Iterable[Entry], store: Store) -> dict[str, Samples]:
    """Return the scored test samples of all trials that are done, by dataset.

    A dataset of which predictions are gone is left out. Raises BenchError (unverified) where they
    are altered, or not of the samples that other trials of the dataset have.
    """
    found: dict[str, Samples] = {}
    lost = set()
    for entry in entries:
        folder = store.folder(entry.trial)
        if entry.record and (folder / PREDICTIONS).exists():
            _add(found, entry.record, folder)
        elif entry.record:
            lost.add(entry.record.labels["dataset"])
    return {dataset: samples for dataset, samples in found.items() if dataset not in lost}


def of_trial(word: str, store: Store) -> tuple[Record, Samples]:
    """Return the record that `word` means (see `Store.find`), and its samples.

    Raises BenchError as `gather` does, where predictions are gone and where the trial failed.
    """
    folder, found = store.find(word)
    if isinstance(found, Failure):
        raise BenchError(f"{folder}: this trial failed, so it has no score; `bench show` says why")
    return found, of_record(found, folder)


def of_record(record: Record, folder: Path) -> Samples:
    """Return the scored test samples of one record. Raises BenchError as `gather` does."""
    known: dict[str, Samples] = {}
    _add(known, record, folder)
    return known[record.labels["dataset"]]


def _add(found: dict[str, Samples], record: Record, folder: Path) -> None:
    from bench.evaluation import predictions

    table = predictions.parse(content(folder, record, PREDICTIONS)).to_pydict()
    columns = [table[name] for name in ("excluded", "id", "length", "edits")]
    rows = [row for reason, *row in zip(*columns, strict=True) if reason is None]
    ids, lengths, edits = (list(column) for column in zip(*rows, strict=True))
    samples = found.setdefault(record.labels["dataset"], Samples(ids, lengths))
    if (samples.ids, samples.lengths) != (ids, lengths):
        raise BenchError(
            f"{folder / PREDICTIONS}: these are not of the samples that other trials of its "
            "dataset have; run its trial again with --force",
            Exit.UNVERIFIED,
        )
    samples.edits[record.key] = edits


def to_csv(found: Mapping[str, Samples]) -> bytes:
    """Write a line a sample: its dataset, id and length, and the edits of each trial."""
    keys = [key for samples in found.values() for key in samples.edits]
    stream = io.StringIO()
    # Quoted, an id may hold whatever a file name may.
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([*_COLUMNS, *keys])
    for dataset, samples in found.items():
        columns = [samples.edits.get(key, [""] * len(samples.ids)) for key in keys]
        for sample, length, *edits in zip(samples.ids, samples.lengths, *columns, strict=True):
            writer.writerow([dataset, sample, length, *edits])
    return stream.getvalue().encode()


def read(folder: Path) -> dict[str, Samples]:
    """Read the samples beside the board in `folder`, none where it has none.

    Raises BenchError (unverified) where the file is not one that `to_csv` wrote.
    """
    file = folder / FILE
    if not file.is_file():
        return {}
    found: dict[str, Samples] = {}
    try:
        text = io.StringIO(file.read_bytes().decode(), newline="")
        header, *lines = csv.reader(text, strict=True)
        for dataset, sample, length, *edits in lines:
            samples = found.setdefault(dataset, Samples([], []))
            samples.ids.append(sample)
            samples.lengths.append(int(length))
            for key, value in zip(header[len(_COLUMNS) :], edits, strict=True):
                if value:
                    samples.edits.setdefault(key, []).append(int(value))
    except (ValueError, csv.Error) as error:
        raise BenchError(
            f"{file}: these are no samples of a board ({error}); restore the file, for instance "
            "with `git restore`",
            Exit.UNVERIFIED,
        ) from None
    return found

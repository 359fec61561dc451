"""What labels a folder has: every format is tried, and its readings are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected
from bench.data.raw.labels.data_folder import DataFolder
from bench.data.raw.labels.formats import FORMATS
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

_PROBED = 200
"""Rows of each file of labels that are tried."""
_SHARE = 0.99
"""Of the rows that are tried, those whose images have to exist."""
_CANDIDATE = 0.5
"""The same, for a file to be one of labels at all."""
_SHOWN = 2


@dataclass(frozen=True)
class Found:
    """What one format reads in a folder.

    Attributes:
        format: The format.
        labels: The files or folders of labels.
        rows: The first rows of each of them.
        rejected: The reasons of rows that cannot be samples, among the first.
    """

    format: LabelFormat
    labels: tuple[Path, ...]
    rows: tuple[Row, ...]
    rejected: Counter[str]

    @property
    def share(self) -> float:
        """The share of rows whose images exist.

        A rejected row speaks against a format, but not where the labels can be nothing else.
        """
        existing = sum(row.images.exists() for row in self.rows)
        against = 0 if self.format.certainty == CERTAIN else self.rejected.total()
        return existing / max(len(self.rows) + against, 1)

    @property
    def reading(self) -> set[tuple[str, str]]:
        """The ids and texts of the rows."""
        return {(row.id, row.text) for row in self.rows}

    def described(self, data: DataFolder) -> str:
        """Return in a phrase what it reads."""
        examples = ", ".join(f"{row.id!r} is {row.text!r}" for row in self.rows[:_SHOWN])
        named = ", ".join(map(data.relative, self.labels[:_SHOWN]))
        more = ", …" if len(self.labels) > _SHOWN else ""
        return f"{self.format.name} ({named}{more}): {examples}"


def look(
    data: DataFolder, formats: Iterable[LabelFormat] = (), labels: Sequence[Path] = ()
) -> list[Found]:
    """Return what each format reads, for those by which some images exist.

    Args:
        data: The folder.
        formats: The formats to try; none: all of the kind of the data.
        labels: The files or folders of labels; none: those that a format finds. Of formats that
            are certain, none of those is left out, whatever is wrong with it.

    Raises:
        BenchError: Nothing was found but files that cannot be read, or labels that are certain.
    """
    kind = "frames" if data.clips else "image"
    tried = [*formats] or [each() for each in FORMATS.values() if kind in each.gives]
    found, faults = [], list[BenchError]()
    for format_ in tried:
        is_certain = format_.certainty == CERTAIN
        try:
            candidates = labels or format_.find(data)
        except BenchError as error:
            # One file that cannot be read hides none of another format.
            faults.append(error)
            continue
        probes = [
            _probe(format_, each, data, faults if is_certain and not labels else [])
            for each in candidates
        ]
        least = 0 if labels or is_certain else _CANDIDATE
        if kept := [probe for probe in probes if probe.share >= least]:
            rows = tuple(row for probe in kept for row in probe.rows)
            rejected = sum((probe.rejected for probe in kept), Counter[str]())
            files = tuple(each for probe in kept for each in probe.labels)
            found.append(Found(format_, files, rows, rejected))
    found = [each for each in found if each.share > 0]
    if faults and not found:
        raise faults[0]
    return found


def choose(found: Sequence[Found], data: DataFolder) -> Found:
    """Return the one reading of a folder.

    Raises:
        BenchError: There is none, images are missing, or two formats read different things.
    """
    fitting = [each for each in found if each.share >= _SHARE]
    if not fitting:
        raise BenchError(_none(found, data))
    certainty = max(each.format.certainty for each in fitting)
    first, *others = (each for each in fitting if each.format.certainty == certainty)
    for other in others:
        if other.reading != first.reading:
            raise BenchError(
                f"{data.root}: its labels can be read in two ways: {first.described(data)}; or "
                f"{other.described(data)}; set format in bench.toml, or --format of `bench data "
                f"init`, to {first.format.name} or {other.format.name}"
            )
    return first


def labels_of(format_: LabelFormat, data: DataFolder) -> tuple[Path, ...]:
    """Return the files or folders of labels of a format. Raises BenchError where there is none."""
    found = look(data, [format_])
    if not found:
        raise BenchError(
            f"{data.root}: nothing in it is read as format '{format_.name}' ({format_.about}) with "
            "images that exist; set labels to the file, images to the folder of the images, or "
            "another format"
        )
    return found[0].labels


def _probe(format_: LabelFormat, labels: Path, data: DataFolder, faults: list[BenchError]) -> Found:
    """Read the first rows of a file of labels; add to `faults` why it cannot be read."""
    rows: list[Row] = []
    rejected = Counter[str]()
    try:
        for row in islice(format_.rows(labels, data), _PROBED):
            if isinstance(row, Rejected):
                rejected[row.reason] += 1
            else:
                rows.append(row)
    except BenchError as error:
        faults.append(error)
        rejected[str(error)] += 1
    return Found(format_, (labels,), tuple(rows), rejected)


def _none(found: Sequence[Found], data: DataFolder) -> str:
    """Return what is wrong with a folder that no format reads."""
    if not found:
        return (
            f"{data.root}: no labels were found in it whose images exist; the formats are "
            f"{', '.join(FORMATS)} (`bench docs own-data`); name one with --format, and the file "
            "with --labels"
        )
    best = max(found, key=lambda each: each.share)
    absent = next((row.id for row in best.rows if not row.images.exists()), None)
    missing = f"'{absent}' is missing" if absent else f"1 row: {next(iter(best.rejected), '')}"
    return (
        f"{data.root}: only {best.share:.0%} of the first rows have an image that exists, read as "
        f"{best.described(data)}; {missing}; if that is right all the same, set format in "
        f"bench.toml, or --format of `bench data init`, to {best.format.name}"
    )

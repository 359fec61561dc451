"""Detection of the label format of a folder: every format is tried, and their rows are compared."""

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

_MAX_ROWS = 200
"""The number of rows per label file that are tried."""
_MIN_SHARE = 0.99
"""The share of tried rows whose images have to exist for a format to be chosen."""
_MIN_CANDIDATE_SHARE = 0.5
"""The same share for a file to count as a label file."""
_MAX_SHOWN = 2


@dataclass(frozen=True)
class DetectedFormat:
    """A format that reads labels in a folder.

    Attributes:
        format: The format.
        labels: The label files or folders.
        rows: The first rows of each label file.
        rejected: The reasons of rejected rows among the first.
    """

    format: LabelFormat
    labels: tuple[Path, ...]
    rows: tuple[Row, ...]
    rejected: Counter[str]

    @property
    def share(self) -> float:
        """The share of first rows whose images exist.

        Rejected rows lower the share, except for a format that is certain.
        """
        existing = sum(row.images.exists() for row in self.rows)
        rejected = 0 if self.format.certainty == CERTAIN else self.rejected.total()
        return existing / max(len(self.rows) + rejected, 1)

    @property
    def reading(self) -> set[tuple[str, str]]:
        """The ids and texts of the rows."""
        return {(row.id, row.text) for row in self.rows}

    def description(self, data: DataFolder) -> str:
        """Return format, label files and first rows as a phrase."""
        examples = ", ".join(f"{row.id!r} is {row.text!r}" for row in self.rows[:_MAX_SHOWN])
        named = ", ".join(map(data.relative, self.labels[:_MAX_SHOWN]))
        more = ", …" if len(self.labels) > _MAX_SHOWN else ""
        return f"{self.format.name} ({named}{more}): {examples}"


def detect_formats(
    data: DataFolder, formats: Iterable[LabelFormat] = (), labels: Sequence[Path] = ()
) -> list[DetectedFormat]:
    """Return the formats that read at least one row with an existing image.

    Args:
        data: The folder.
        formats: The formats to try; empty for all formats of the kind of the data.
        labels: The label files or folders; empty for those that each format finds.

    Raises:
        BenchError: No format was detected, and a label file of a format that is certain cannot be
            read.
    """
    kind = "frames" if data.clips else "image"
    tried = [*formats] or [each() for each in FORMATS.values() if kind in each.gives]
    detected, faults = [], list[BenchError]()
    for format_ in tried:
        is_certain = format_.certainty == CERTAIN
        try:
            candidates = labels or format_.find(data)
        except BenchError as error:
            # A file that cannot be read must not hide the labels of another format.
            faults.append(error)
            continue
        probes = [
            _probe(format_, candidate, data, faults if is_certain and not labels else [])
            for candidate in candidates
        ]
        min_share = 0 if labels or is_certain else _MIN_CANDIDATE_SHARE
        if accepted := [probe for probe in probes if probe.share >= min_share]:
            rows = tuple(row for probe in accepted for row in probe.rows)
            rejected = sum((probe.rejected for probe in accepted), Counter[str]())
            files = tuple(file for probe in accepted for file in probe.labels)
            detected.append(DetectedFormat(format_, files, rows, rejected))
    detected = [each for each in detected if each.share > 0]
    if faults and not detected:
        raise faults[0]
    return detected


def choose_format(detected: Sequence[DetectedFormat], data: DataFolder) -> DetectedFormat:
    """Return the detected format with the highest certainty.

    Raises:
        BenchError: No format was detected, images are missing, or two formats of the same certainty
            read different rows.
    """
    fitting = [each for each in detected if each.share >= _MIN_SHARE]
    if not fitting:
        raise BenchError(_failure(detected, data))
    certainty = max(each.format.certainty for each in fitting)
    first, *others = (each for each in fitting if each.format.certainty == certainty)
    for other in others:
        if other.reading != first.reading:
            raise BenchError(
                f"{data.root}: its labels can be read in two ways: {first.description(data)}; or "
                f"{other.description(data)}; set format in bench.toml, or --format of `bench data "
                f"init`, to {first.format.name} or {other.format.name}"
            )
    return first


def find_labels(format_: LabelFormat, data: DataFolder) -> tuple[Path, ...]:
    """Return the label files or folders of a format. Raises BenchError if there are none."""
    detected = detect_formats(data, [format_])
    if not detected:
        raise BenchError(
            f"{data.root}: it has no labels of format '{format_.name}' ({format_.about}) with "
            "images that exist; set labels to the file, images to the folder of the images, or "
            "another format"
        )
    return detected[0].labels


def _probe(
    format_: LabelFormat, labels: Path, data: DataFolder, faults: list[BenchError]
) -> DetectedFormat:
    """Read the first rows of a label file; add an error to `faults` if it cannot be read."""
    rows: list[Row] = []
    rejected = Counter[str]()
    try:
        for row in islice(format_.rows(labels, data), _MAX_ROWS):
            if isinstance(row, Rejected):
                rejected[row.reason] += 1
            else:
                rows.append(row)
    except BenchError as error:
        faults.append(error)
        rejected[str(error)] += 1
    return DetectedFormat(format_, (labels,), tuple(rows), rejected)


def _failure(detected: Sequence[DetectedFormat], data: DataFolder) -> str:
    """Return the error text for a folder that no format reads well enough."""
    if not detected:
        return (
            f"{data.root}: it has no labels whose images exist; the formats are "
            f"{', '.join(FORMATS)} (`bench docs own-data`); choose one with --format, and the file "
            "with --labels"
        )
    best = max(detected, key=lambda each: each.share)
    absent = next((row.id for row in best.rows if not row.images.exists()), None)
    missing = f"'{absent}' is missing" if absent else f"1 row: {next(iter(best.rejected), '')}"
    return (
        f"{data.root}: only {best.share:.0%} of the first rows have an image that exists, read as "
        f"{best.description(data)}; {missing}; if that is right all the same, set format in "
        f"bench.toml, or --format of `bench data init`, to {best.format.name}"
    )

"""Where labels are read: average precision, key-frame error, blank ratio and peak width.

All of it follows from a table of `bench.evaluation.predictions`. The formulas are in
docs/localisation.md.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean, median
from typing import NamedTuple, NotRequired, TypedDict

from bench.evaluation.metrics.detection import Segment, average_precision, true_segments

BLANK = 0
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""The overlaps that average precision is the mean over, as on THUMOS14."""
NOTHING = "–"
HEADERS = (
    *("class", "labels", "mAP", *map(str, THRESHOLDS)),
    *("key error", "median", "read", "peak width", "peaks", "blank"),
)
"""Of `rows`: precisions and blank ratio in percent, key error and peak width in frames."""


class Columns(TypedDict):
    """Columns of a table of `bench.evaluation.predictions`, as plain lists with a value a sample.

    A reference and a hypothesis are sequences of tokens; a text is one of characters. `scores`, a
    value for each label read, is what the labels are ranked by; where there is none, all labels of
    a sample are ranked by its `confidence`.
    """

    reference: Sequence[Sequence[str]]
    hypothesis: Sequence[Sequence[str]]
    excluded: Sequence[str | None]
    confidence: Sequence[float]
    path: Sequence[Sequence[int]]
    aligned: Sequence[Sequence[int]]
    key_frames: Sequence[Sequence[int]]
    scores: NotRequired[Sequence[Sequence[float]]]


@dataclass(frozen=True)
class KeyFrameError:
    """Frames between where labels were read and where they are, over `labels` read correctly."""

    labels: int
    mean: float | None
    median: float | None


@dataclass(frozen=True)
class ClassLocalisation:
    """How one class is located: `labels` are true ones, `peaks` all runs of it on paths.

    `average_precision` maps each threshold to a share in 0…1; it is empty, and its mean None, where
    the class has no label.
    """

    labels: int
    mean_average_precision: float | None
    average_precision: dict[str, float]
    key_frame_error: KeyFrameError
    peak_width: float | None
    peaks: int


@dataclass(frozen=True)
class Localisation:
    """How a split is located, as values that JSON holds; None is what there is nothing to say of.

    `located` counts the scored samples whose labels all have a key frame; precision and key-frame
    error are over these, blank ratio and peak width over all. Precisions are means over the classes
    that have a label, the rest are sums over the corpus, divided at the end.
    """

    samples: int
    located: int
    labels: int
    mean_average_precision: float | None
    average_precision: dict[str, float]
    key_frame_error: KeyFrameError
    blank_ratio: float | None
    peak_width: float | None
    peaks: int
    classes: dict[str, ClassLocalisation]


class _Reading(NamedTuple):
    """One sample; `hypothesis`, `aligned` and `scores` have a value for each run of the path."""

    reference: list[str]
    hypothesis: list[str]
    path: Sequence[int]
    aligned: Sequence[int]
    key_frames: Sequence[int]
    scores: list[float]

    @property
    def located(self) -> bool:
        return len(self.reference) == len(self.key_frames)


@dataclass
class _Class:
    """What is gathered of one class."""

    truths: list[Segment] = field(default_factory=list)
    found: list[Segment] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)


def localisation(columns: Columns) -> Localisation:
    """Measure where the scored samples of a table are read.

    Raises ValueError where none is scored, where a label read has no place on its path (as in
    models that emit symbols), or where key frames and path count different frames.
    """
    readings = _readings(columns)
    if not readings:
        raise ValueError("no sample is left to score")
    gathered: defaultdict[str, _Class] = defaultdict(_Class)
    for number, reading in enumerate(readings):
        _gather(gathered, number, reading)
    classes = {name: _of_class(gathered[name]) for name in sorted(gathered)}
    precisions = [each.average_precision for each in classes.values() if each.labels]
    average = {name: fmean(each[name] for each in precisions) for name in _names(precisions)}
    widths = [width for each in gathered.values() for width in each.widths]
    frames = sum(len(reading.path) for reading in readings)
    return Localisation(
        samples=len(readings),
        located=sum(reading.located for reading in readings),
        labels=sum(each.labels for each in classes.values()),
        mean_average_precision=_mean(average.values()),
        average_precision=average,
        key_frame_error=_error([error for each in gathered.values() for error in each.errors]),
        blank_ratio=(frames - sum(widths)) / frames if frames else None,
        peak_width=_mean(widths),
        peaks=len(widths),
        classes=classes,
    )


def rows(found: Localisation) -> list[list[str]]:
    """Return a row of `HEADERS` for each class, and one for all behind them."""
    classes = [[name, *_cells(each), NOTHING] for name, each in found.classes.items()]
    return [*classes, ["all", *_cells(found), _percent(found.blank_ratio)]]


def runs(path: Iterable[int]) -> list[tuple[int, int]]:
    """Return the frames start, …, end - 1 of each run of a label, in order of time."""
    spans, start = [], 0
    for label, frames in groupby(path):
        end = start + sum(1 for _ in frames)
        if label != BLANK:
            spans.append((start, end))
        start = end
    return spans


class _Alignment(NamedTuple):
    """Ways to edit one beginning into another, the better the smaller."""

    edits: int
    unread: int
    distance: int
    pairs: tuple[tuple[int, int], ...]


def read_correctly(
    reference: Sequence[str],
    hypothesis: Sequence[str],
    key_frames: Sequence[int],
    aligned: Sequence[int],
) -> list[tuple[int, int]]:
    """Return the pairs (label of the reference, label read) that the fewest edits leave as is.

    Of equally few edits those that leave most, then those with the smallest sum of frames between
    key frame and label read, then the earliest.
    """
    row = [_Alignment(inserted, 0, 0, ()) for inserted in range(len(hypothesis) + 1)]
    for i, wanted in enumerate(reference):
        above, row = row, [_Alignment(i + 1, 0, 0, ())]
        for j, label in enumerate(hypothesis):
            edits, unread, distance, pairs = above[j]
            if wanted == label:
                apart = abs(key_frames[i] - aligned[j])
                across = _Alignment(edits, unread - 1, distance + apart, (*pairs, (i, j)))
            else:
                across = _edited(above[j])
            row.append(min(across, _edited(above[j + 1]), _edited(row[j])))
    return list(row[-1].pairs)


def _edited(alignment: _Alignment) -> _Alignment:
    return alignment._replace(edits=alignment.edits + 1)


def _readings(columns: Columns) -> list[_Reading]:
    """Return the scored samples."""
    rows_of = zip(
        columns["reference"],
        columns["hypothesis"],
        columns["path"],
        columns["aligned"],
        columns["key_frames"],
        columns.get("scores", [[]] * len(columns["path"])),
        columns["confidence"],
        columns["excluded"],
        strict=True,
    )
    shared = "scores" not in columns
    readings = []
    for reference, hypothesis, path, aligned, keys, scores, confidence, excluded in rows_of:
        if excluded is not None:
            continue
        # Labels that do not fit into the frames are read, but nowhere: their path is blank.
        read = list(hypothesis) if aligned or any(path) else []
        ranked = [confidence] * len(read) if shared else list(scores)
        readings.append(_Reading(list(reference), read, path, aligned, keys, ranked))
    return readings


def _gather(gathered: Mapping[str, _Class], number: int, reading: _Reading) -> None:
    """Add one sample to its classes."""
    spans = runs(reading.path)
    if not len(spans) == len(reading.hypothesis) == len(reading.aligned) == len(reading.scores):
        raise ValueError(
            f"sample {number} has {len(spans)} runs on its path for {len(reading.hypothesis)} "
            f"labels read, {len(reading.aligned)} frames and {len(reading.scores)} scores of them"
        )
    for label, (start, end) in zip(reading.hypothesis, spans, strict=True):
        gathered[label].widths.append(end - start)
    if not reading.located:
        return
    for label, (start, end), score in zip(reading.hypothesis, spans, reading.scores, strict=True):
        # What is not a number comes last.
        known = -math.inf if math.isnan(score) else score
        gathered[label].found.append(Segment(number, start, end, known))
    truths = true_segments(number, reading.key_frames, len(reading.path))
    for label, truth in zip(reading.reference, truths, strict=True):
        gathered[label].truths.append(truth)
    labels = reading.reference, reading.hypothesis
    for i, j in read_correctly(*labels, reading.key_frames, reading.aligned):
        apart = abs(reading.key_frames[i] - reading.aligned[j])
        gathered[reading.reference[i]].errors.append(apart)


def _of_class(gathered: _Class) -> ClassLocalisation:
    average = {
        str(threshold): average_precision(gathered.truths, gathered.found, threshold)
        for threshold in THRESHOLDS
        if gathered.truths
    }
    return ClassLocalisation(
        labels=len(gathered.truths),
        mean_average_precision=_mean(average.values()),
        average_precision=average,
        key_frame_error=_error(gathered.errors),
        peak_width=_mean(gathered.widths),
        peaks=len(gathered.widths),
    )


def _names(precisions: list[dict[str, float]]) -> list[str]:
    return list(precisions[0]) if precisions else []


def _error(errors: list[int]) -> KeyFrameError:
    middle = float(median(errors)) if errors else None
    return KeyFrameError(len(errors), _mean(errors), middle)


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None


def _cells(found: Localisation | ClassLocalisation) -> list[str]:
    error = found.key_frame_error
    return [
        str(found.labels),
        _percent(found.mean_average_precision),
        *(_percent(found.average_precision.get(str(threshold))) for threshold in THRESHOLDS),
        _frames(error.mean),
        _frames(error.median),
        str(error.labels),
        _frames(found.peak_width),
        str(found.peaks),
    ]


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f}"


def _frames(count: float | None) -> str:
    return NOTHING if count is None else f"{count:.2f}"

"""Where labels are read: average precision, key-frame error, blank ratio and peak width.

All of it is computed from a table of `bench.evaluation.predictions`. `bench docs localization` has
the formulas.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean, median
from typing import NamedTuple, NotRequired, TypedDict

from bench.evaluation.metrics.detection import Segment, rank_detections, true_segments

BLANK = 0
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""The overlaps that average precision is the mean over, as on THUMOS14."""
UNKNOWN = "–"
HEADERS = (
    *("class", "labels", "mAP", *map(str, THRESHOLDS)),
    *("key error", "median", "read", "peak width", "peaks", "blank"),
)
"""Of `localization_rows`: precisions and blank ratio in percent, key error and peak width in
frames."""


class Columns(TypedDict):
    """Columns of a table of predictions, as plain lists with one value per sample.

    A reference and a hypothesis are sequences of tokens; a text is a sequence of characters.
    `scores` has a value for each label read, by which the labels are ranked; without it, all labels
    of a sample are ranked by its `confidence`.
    """

    reference: Sequence[Sequence[str]]
    hypothesis: Sequence[Sequence[str]]
    excluded: Sequence[str | None]
    confidence: Sequence[float | None]
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
class ClassLocalization:
    """How one class is located.

    Attributes:
        labels: The number of true labels.
        mean_average_precision: The mean of `average_precision`; None without a true label.
        average_precision: By threshold, in 0…1; empty without a true label.
        key_frame_error: In frames.
        peak_width: The mean length of runs, in frames.
        peaks: The number of runs of the class on all paths.
    """

    labels: int
    mean_average_precision: float | None
    average_precision: dict[str, float]
    key_frame_error: KeyFrameError
    peak_width: float | None
    peaks: int


@dataclass(frozen=True)
class Localization:
    """How the labels of a split are located, as JSON values; None where there is no value.

    Precisions are means over the classes that have a label; the rest are sums over the corpus,
    divided at the end.

    Attributes:
        samples: The number of scored samples; blank ratio and peak width are over these.
        located: How many of them have a key frame for each label; precision and key-frame error
            are over these.
        labels: The true labels of the located samples.
        mean_average_precision: The mean of `average_precision`.
        average_precision: By threshold, in 0…1.
        key_frame_error: In frames.
        blank_ratio: Blank frames by all frames, in 0…1.
        peak_width: The mean length of runs, in frames.
        peaks: The number of runs on all paths.
        classes: By token.
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
    classes: dict[str, ClassLocalization]


class LocatedReading(NamedTuple):
    """One sample; `hypothesis`, `aligned` and `scores` have a value for each run of the path."""

    reference: list[str]
    hypothesis: list[str]
    path: Sequence[int]
    aligned: Sequence[int]
    key_frames: Sequence[int]
    scores: list[float]

    @property
    def is_located(self) -> bool:
        """Whether each label has a key frame."""
        return len(self.reference) == len(self.key_frames)

    def runs(self) -> list[tuple[int, int]]:
        """Return the runs of the path.

        Raises:
            ValueError: They do not match the labels read.
        """
        spans = path_runs(self.path)
        if not len(spans) == len(self.hypothesis) == len(self.aligned) == len(self.scores):
            raise ValueError(
                f"a sample has {len(spans)} runs on its path for {len(self.hypothesis)} labels "
                f"read, {len(self.aligned)} frames and {len(self.scores)} scores of them"
            )
        return spans


@dataclass
class ClassSegments:
    """The true segments of a class, and those read as it, of all located samples."""

    truths: list[Segment] = field(default_factory=list)
    detections: list[Segment] = field(default_factory=list)


@dataclass
class _Peaks:
    """The key-frame errors and the lengths of the runs of a class."""

    errors: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)


def measure_localization(columns: Columns) -> Localization:
    """Measure where the labels of the scored samples of a table are read.

    Raises:
        ValueError: No sample is scored, a label read has no run on its path (as of models without
            frames), or key frames and path count different frames.
    """
    readings = located_readings(columns)
    if not readings:
        raise ValueError("no sample is left to score")
    segments = class_segments(readings)
    peaks = _class_peaks(readings)
    names = sorted(segments.keys() | peaks.keys())
    classes = {name: _measure_class(segments[name], peaks[name]) for name in names}
    precisions = [each.average_precision for each in classes.values() if each.labels]
    thresholds = [*precisions[0]] if precisions else []
    average = {name: fmean(each[name] for each in precisions) for name in thresholds}
    widths = [width for each in peaks.values() for width in each.widths]
    frames = sum(len(reading.path) for reading in readings)
    return Localization(
        samples=len(readings),
        located=sum(reading.is_located for reading in readings),
        labels=sum(each.labels for each in classes.values()),
        mean_average_precision=_mean(average.values()),
        average_precision=average,
        key_frame_error=_error([error for each in peaks.values() for error in each.errors]),
        blank_ratio=(frames - sum(widths)) / frames if frames else None,
        peak_width=_mean(widths),
        peaks=len(widths),
        classes=classes,
    )


def localization_rows(located: Localization) -> list[list[str]]:
    """Return a row of `HEADERS` for each class, and one for all after them."""
    classes = [[name, *_cells(each), UNKNOWN] for name, each in located.classes.items()]
    return [*classes, ["all", *_cells(located), _percent(located.blank_ratio)]]


def path_runs(path: Iterable[int]) -> list[tuple[int, int]]:
    """Return the frames start, …, end - 1 of each run of a label, in order of time."""
    spans, start = [], 0
    for label, frames in groupby(path):
        end = start + sum(1 for _ in frames)
        if label != BLANK:
            spans.append((start, end))
        start = end
    return spans


def located_readings(columns: Columns) -> list[LocatedReading]:
    """Return the scored samples of a table."""
    rows = zip(
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
    has_scores = "scores" in columns
    readings = []
    for reference, hypothesis, path, aligned, keys, scores, confidence, excluded in rows:
        if excluded is not None:
            continue
        # Labels that do not fit into the frames are read, but nowhere: their path is blank.
        read = [*hypothesis] if aligned or any(path) else []
        shared = math.nan if confidence is None else confidence
        ranked = [*scores] if has_scores else [shared] * len(read)
        readings.append(LocatedReading([*reference], read, path, aligned, keys, ranked))
    return readings


def class_segments(readings: Sequence[LocatedReading]) -> Mapping[str, ClassSegments]:
    """Return the segments of each class; a sample's number is its position in `readings`.

    Raises:
        ValueError: See `localization`.
    """
    classes: defaultdict[str, ClassSegments] = defaultdict(ClassSegments)
    for number, reading in enumerate(readings):
        spans = reading.runs()
        if not reading.is_located:
            continue
        for label, span, score in zip(reading.hypothesis, spans, reading.scores, strict=True):
            # A score that is not a number comes last.
            finite = -math.inf if math.isnan(score) else score
            classes[label].detections.append(Segment(number, *span, finite))
        truths = true_segments(number, reading.key_frames, len(reading.path))
        for label, truth in zip(reading.reference, truths, strict=True):
            classes[label].truths.append(truth)
    return classes


class _Alignment(NamedTuple):
    """Ways to edit one prefix into another, the better the smaller."""

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


def _class_peaks(readings: Sequence[LocatedReading]) -> Mapping[str, _Peaks]:
    classes: defaultdict[str, _Peaks] = defaultdict(_Peaks)
    for reading in readings:
        for label, (start, end) in zip(reading.hypothesis, reading.runs(), strict=True):
            classes[label].widths.append(end - start)
        if reading.is_located:
            labels = reading.reference, reading.hypothesis
            for i, j in read_correctly(*labels, reading.key_frames, reading.aligned):
                apart = abs(reading.key_frames[i] - reading.aligned[j])
                classes[reading.reference[i]].errors.append(apart)
    return classes


def _measure_class(segments: ClassSegments, peaks: _Peaks) -> ClassLocalization:
    average = {}
    if segments.truths:
        ranked = rank_detections(segments.truths, segments.detections, THRESHOLDS)
        average = dict(zip(map(str, THRESHOLDS), ranked.average_precision(), strict=True))
    return ClassLocalization(
        labels=len(segments.truths),
        mean_average_precision=_mean(average.values()),
        average_precision=average,
        key_frame_error=_error(peaks.errors),
        peak_width=_mean(peaks.widths),
        peaks=len(peaks.widths),
    )


def _error(errors: list[int]) -> KeyFrameError:
    middle = float(median(errors)) if errors else None
    return KeyFrameError(len(errors), _mean(errors), middle)


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return fmean(numbers) if numbers else None


def _cells(located: Localization | ClassLocalization) -> list[str]:
    error = located.key_frame_error
    return [
        str(located.labels),
        _percent(located.mean_average_precision),
        *(_percent(located.average_precision.get(str(threshold))) for threshold in THRESHOLDS),
        _frames(error.mean),
        _frames(error.median),
        str(error.labels),
        _frames(located.peak_width),
        str(located.peaks),
    ]


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.1f}"


def _frames(count: float | None) -> str:
    return UNKNOWN if count is None else f"{count:.2f}"

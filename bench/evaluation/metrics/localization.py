"""Localization of labels in time: average precision, key-frame error, blank ratio, peak width.

All values are computed from a table of `bench.evaluation.predictions`. `bench docs localization`
has the formulas.
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
"""Thresholds of temporal IoU; mAP is the mean of average precision over them, as on THUMOS14."""
UNKNOWN = "–"
HEADERS = (
    *("class", "labels", "mAP", *map(str, THRESHOLDS)),
    *("key error", "median", "read", "peak width", "peaks", "blank"),
)
"""Headers of the columns of `localization_rows`: precisions and blank ratio in percent, key error
and peak width in frames."""


class LocalizationColumns(TypedDict):
    """Columns of a table of predictions, as plain lists with one value per sample.

    Attributes:
        reference: The tokens of the reference; a text is a sequence of characters.
        hypothesis: The tokens read.
        excluded: Why the sample is not scored; None if it is.
        confidence: The confidence of the hypothesis; None if it is unknown.
        path: The class of each frame, 0 for blank.
        aligned: The frame of each token read.
        key_frames: The true frame of each token of the reference; empty if unknown.
        scores: A score per token read, which ranks it; without this column, the confidence of the
            sample ranks all of its tokens.
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
    """Distance in frames between where labels are read and their key frames.

    Attributes:
        labels: The number of labels that are read correctly; mean and median are over these.
        mean: The mean distance; None without labels.
        median: The median distance; None without labels.
    """

    labels: int
    mean: float | None
    median: float | None


@dataclass(frozen=True)
class ClassLocalization:
    """The localization of one class.

    Attributes:
        labels: The number of true labels.
        mean_average_precision: The mean of `average_precision`; None without a true label.
        average_precision: By threshold of temporal IoU, in 0…1; empty without a true label.
        key_frame_error: The distance from the key frames, in frames.
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
    """The localization of the labels of a split, as JSON values; None if there is no value.

    Precisions are means over the classes that have a true label; the other values are computed
    over the whole corpus, without a mean per class.

    Attributes:
        samples: The number of scored samples; blank ratio and peak width are over these.
        located: How many of them have a key frame for each label; precision and key-frame error
            are over these.
        labels: The number of true labels of the located samples.
        mean_average_precision: The mean of `average_precision` over the thresholds.
        average_precision: By threshold of temporal IoU, in 0…1.
        key_frame_error: The distance from the key frames, in frames.
        blank_ratio: Blank frames divided by all frames, in 0…1.
        peak_width: The mean length of runs, in frames.
        peaks: The number of runs on all paths.
        classes: The localization of each class, by its token.
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
    """The reading of one sample, with its path.

    A run is a maximal sequence of frames with the same label on the path.

    Attributes:
        reference: The true labels.
        hypothesis: The labels read, one per run of the path.
        path: The class of each frame, 0 for blank.
        aligned: The frame of each label read.
        key_frames: The true frame of each label of the reference; empty if unknown.
        scores: The score of each label read.
    """

    reference: list[str]
    hypothesis: list[str]
    path: Sequence[int]
    aligned: Sequence[int]
    key_frames: Sequence[int]
    scores: list[float]

    @property
    def is_located(self) -> bool:
        """Whether each label of the reference has a key frame."""
        return len(self.reference) == len(self.key_frames)

    def runs(self) -> list[tuple[int, int]]:
        """Return the frames start, …, end - 1 of each run of the path.

        Raises:
            ValueError: The numbers of runs, labels read, their frames and their scores differ.
        """
        spans = path_runs(self.path)
        if not len(spans) == len(self.hypothesis) == len(self.aligned) == len(self.scores):
            raise ValueError(
                f"a sample has {len(spans)} runs on its path, but {len(self.hypothesis)} labels "
                f"read with {len(self.aligned)} frames and {len(self.scores)} scores"
            )
        return spans


@dataclass
class ClassSegments:
    """The segments of one class in all located samples.

    Attributes:
        references: The true segments.
        detections: The segments read as this class.
    """

    references: list[Segment] = field(default_factory=list)
    detections: list[Segment] = field(default_factory=list)


@dataclass
class _Peaks:
    """The key-frame errors and the lengths of the runs of a class."""

    errors: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)


def measure_localization(columns: LocalizationColumns) -> Localization:
    """Measure where the labels of the scored samples of a table are read.

    Raises:
        ValueError: No sample is scored, a label read has no run on its path (as with models
            without frames), or a key frame is not a frame of the path.
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
        key_frame_error=_key_frame_error(
            [error for each in peaks.values() for error in each.errors]
        ),
        blank_ratio=(frames - sum(widths)) / frames if frames else None,
        peak_width=_mean(widths),
        peaks=len(widths),
        classes=classes,
    )


def localization_rows(located: Localization) -> list[list[str]]:
    """Return the cells under `HEADERS`: one row per class, then a row for all classes."""
    classes = [[name, *_cells(each), UNKNOWN] for name, each in located.classes.items()]
    return [*classes, ["all", *_cells(located), _percent(located.blank_ratio)]]


def path_runs(path: Iterable[int]) -> list[tuple[int, int]]:
    """Return the frames start, …, end - 1 of each run of a label on a path, in order of time."""
    spans, start = [], 0
    for label, frames in groupby(path):
        end = start + sum(1 for _ in frames)
        if label != BLANK:
            spans.append((start, end))
        start = end
    return spans


def located_readings(columns: LocalizationColumns) -> list[LocatedReading]:
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
        # Labels that do not fit into the frames have no position: their path is blank.
        labels = [*hypothesis] if aligned or any(path) else []
        sample_score = math.nan if confidence is None else confidence
        label_scores = [*scores] if has_scores else [sample_score] * len(labels)
        readings.append(LocatedReading([*reference], labels, path, aligned, keys, label_scores))
    return readings


def class_segments(readings: Sequence[LocatedReading]) -> Mapping[str, ClassSegments]:
    """Return the segments of each class; the number of a sample is its index in `readings`.

    Raises:
        ValueError: A label read has no run, or a key frame is not a frame of the path.
    """
    classes: defaultdict[str, ClassSegments] = defaultdict(ClassSegments)
    for number, reading in enumerate(readings):
        spans = reading.runs()
        if not reading.is_located:
            continue
        for label, span, score in zip(reading.hypothesis, spans, reading.scores, strict=True):
            # NaN ranks last.
            finite = -math.inf if math.isnan(score) else score
            classes[label].detections.append(Segment(number, *span, finite))
        segments = true_segments(number, reading.key_frames, len(reading.path))
        for label, segment in zip(reading.reference, segments, strict=True):
            classes[label].references.append(segment)
    return classes


class _Alignment(NamedTuple):
    """An alignment of two prefixes; the smallest in the order of the fields is the best."""

    edits: int
    negative_matches: int
    distance: int
    pairs: tuple[tuple[int, int], ...]


def read_correctly(
    reference: Sequence[str],
    hypothesis: Sequence[str],
    key_frames: Sequence[int],
    aligned: Sequence[int],
) -> list[tuple[int, int]]:
    """Return the pairs (index in the reference, index in the hypothesis) of correct labels.

    They are the unchanged labels of an alignment with the fewest edits. Among several, it is the
    one with the most unchanged labels, then with the smallest sum of distances between key frame
    and label read, then with the smallest indices.

    Args:
        reference: The true labels.
        hypothesis: The labels read.
        key_frames: The frame of each true label.
        aligned: The frame of each label read.
    """
    row = [_Alignment(inserted, 0, 0, ()) for inserted in range(len(hypothesis) + 1)]
    for i, expected in enumerate(reference):
        above, row = row, [_Alignment(i + 1, 0, 0, ())]
        for j, label in enumerate(hypothesis):
            edits, negative_matches, distance, pairs = above[j]
            if expected == label:
                frames = abs(key_frames[i] - aligned[j])
                pair = _Alignment(edits, negative_matches - 1, distance + frames, (*pairs, (i, j)))
            else:
                pair = _one_more_edit(above[j])
            row.append(min(pair, _one_more_edit(above[j + 1]), _one_more_edit(row[j])))
    return list(row[-1].pairs)


def _one_more_edit(alignment: _Alignment) -> _Alignment:
    return alignment._replace(edits=alignment.edits + 1)


def _class_peaks(readings: Sequence[LocatedReading]) -> Mapping[str, _Peaks]:
    classes: defaultdict[str, _Peaks] = defaultdict(_Peaks)
    for reading in readings:
        for label, (start, end) in zip(reading.hypothesis, reading.runs(), strict=True):
            classes[label].widths.append(end - start)
        if reading.is_located:
            labels = reading.reference, reading.hypothesis
            for i, j in read_correctly(*labels, reading.key_frames, reading.aligned):
                frames = abs(reading.key_frames[i] - reading.aligned[j])
                classes[reading.reference[i]].errors.append(frames)
    return classes


def _measure_class(segments: ClassSegments, peaks: _Peaks) -> ClassLocalization:
    average = {}
    if segments.references:
        ranked = rank_detections(segments.references, segments.detections, THRESHOLDS)
        average = dict(zip(map(str, THRESHOLDS), ranked.average_precision(), strict=True))
    return ClassLocalization(
        labels=len(segments.references),
        mean_average_precision=_mean(average.values()),
        average_precision=average,
        key_frame_error=_key_frame_error(peaks.errors),
        peak_width=_mean(peaks.widths),
        peaks=len(peaks.widths),
    )


def _key_frame_error(errors: list[int]) -> KeyFrameError:
    return KeyFrameError(len(errors), _mean(errors), float(median(errors)) if errors else None)


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

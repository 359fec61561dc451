"""The result of decoding: labels, the path that shows them, and the span of each label on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Decode = Callable[["Tensor", "Tensor"], "Decoded"]
"""A built decoder: from logits (N, T, C) and their lengths (N,) on the host to their labels."""


class Span(NamedTuple):
    """A label on the frames start, …, end - 1.

    `key` is the frame in which the label is most probable, the first of equals. `confidence` is the
    geometric mean of its probability in its frames, so that confidences to the power of their
    widths multiply to the probability of a path.
    """

    label: int
    start: int
    end: int
    key: int
    confidence: float


@dataclass(frozen=True)
class Spans:
    """The S spans of a batch of N paths, sample by sample, each in order of time.

    Arrays (S,) of the fields of `Span`, and `bounds` (N+1,): the spans of sample n are those from
    bounds[n] to bounds[n+1] - 1.
    """

    label: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    key: NDArray[np.int64]
    confidence: NDArray[np.float32]
    bounds: NDArray[np.int64]

    def of_sample(self, n: int) -> list[Span]:
        """Return the spans of sample n, in order of time."""
        part = slice(self.bounds[n], self.bounds[n + 1])
        columns = (self.label, self.start, self.end, self.key, self.confidence)
        return [Span(*row) for row in zip(*(each[part].tolist() for each in columns), strict=True)]


@dataclass(frozen=True)
class Decoded:
    """The decodings of a batch of N samples.

    Attributes:
        labels: One array of classes per sample.
        path: (N, T), the class of each frame on the chosen path; blank on padding.
        confidence: (N,), in greedy decoding the probability of this path, else that of the labels
            over all of their paths.
        scores: (N, T), the log-probability of that class in each frame; 0 on padding.
        lengths: (N,), the number of valid frames.
    """

    labels: list[NDArray[np.int64]]
    path: NDArray[np.int64]
    confidence: NDArray[np.float32]
    scores: NDArray[np.float32]
    lengths: NDArray[np.int64]

    def spans(self) -> Spans:
        """Return the span of each label on the path; labels without any path have none."""
        return runs(self.path, self.scores)

    def key_frames(self) -> list[NDArray[np.int64]]:
        """Return the most probable frame of each label, one array per sample, in order of time."""
        spans = self.spans()
        return split_at(spans.key, spans.bounds)

    def blank_ratio(self) -> NDArray[np.float64]:
        """Return the share of valid frames that show blank (N,), NaN where no frame is valid."""
        return _ratio(self.lengths - _labeled(self.path), self.lengths)

    def peak_width(self) -> NDArray[np.float64]:
        """Return the mean width in frames of the runs of labels (N,), NaN where there is none."""
        return _ratio(_labeled(self.path), run_starts(self.path).sum(1))


def run_starts(path: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which frames (N, T) begin a run of a label; a blank begins none."""
    starts: NDArray[np.bool_] = path != BLANK
    starts[:, 1:] &= path[:, 1:] != path[:, :-1]
    return starts


def collapse(path: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the labels of each path: repeats merged, then blanks removed."""
    first = np.flatnonzero(run_starts(path))
    return split_at(path.reshape(-1)[first], _bounds(first, path))


def split_at(values: NDArray[np.int64], bounds: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return `values` (S,) split at the bounds (N+1,) into one array per sample."""
    return [values[start:end] for start, end in pairwise(bounds.tolist())]


def runs(path: NDArray[np.int64], scores: NDArray[np.float32]) -> Spans:
    """Return the runs of labels on paths (N, T), whose classes have the log-probabilities `scores`.

    A run ends where the class changes, so two runs of one label have a blank between them.
    """
    first = np.flatnonzero(run_starts(path))
    labeled = np.flatnonzero(path)
    # Of the frames that show labels, where each run begins, and the run that each belongs to.
    offsets = labeled.searchsorted(first)
    widths = np.diff(offsets, append=len(labeled))
    values = scores.reshape(-1)[labeled]
    finite = np.where(np.isnan(values), -np.inf, values)
    best = np.flatnonzero(finite == np.repeat(np.maximum.reduceat(finite, offsets), widths))
    frames = path.shape[1]
    start = first % frames if frames else first
    return Spans(
        label=path.reshape(-1)[first],
        start=start,
        end=start + widths,
        key=start + best[best.searchsorted(offsets)] - offsets,
        confidence=np.exp(np.add.reduceat(values, offsets) / widths).astype(np.float32),
        bounds=_bounds(first, path),
    )


def _bounds(first: NDArray[np.int64], path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the flat positions `first` lie before each sample, and in all (N+1,)."""
    samples, frames = path.shape
    bounds: NDArray[np.int64] = first.searchsorted(np.arange(samples + 1) * frames)
    return bounds


def _labeled(path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of frames (N,) that show a label."""
    frames: NDArray[np.int64] = np.count_nonzero(path, axis=1)
    return frames


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio

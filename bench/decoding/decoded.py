"""What a decoder found: labels, the path that shows them, and where on it each label stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Span(NamedTuple):
    """A label on the frames start, …, end - 1.

    `key` is its most probable frame, of equals the first; `confidence` the geometric mean of what
    its frames give it, so that the confidences to the power of their widths multiply as paths do.
    """

    label: int
    start: int
    end: int
    key: int
    confidence: float


@dataclass(frozen=True)
class Spans:
    """The S spans of a batch of N paths, sample by sample, each in order of time.

    All are (S,) with the meaning that `Span` gives them, but `bounds` (N+1,): the spans of sample n
    are those from bounds[n] to bounds[n+1] - 1.
    """

    label: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    key: NDArray[np.int64]
    confidence: NDArray[np.float32]
    bounds: NDArray[np.int64]

    def of(self, n: int) -> list[Span]:
        """Return the spans of sample n, in order of time."""
        part = slice(self.bounds[n], self.bounds[n + 1])
        columns = (self.label, self.start, self.end, self.key, self.confidence)
        return [Span(*row) for row in zip(*(each[part].tolist() for each in columns), strict=True)]


@dataclass(frozen=True)
class Decoded:
    """A batch of N decodings.

    `labels` has one array of classes a sample, `path` (N, T) the class of each frame on the path
    chosen (blank on padding) and `scores` (N, T) the log of what each frame gives that class (0 on
    padding). `confidence` (N,) is the probability that the decoder sought to make large: of this
    one path in greedy decoding, else of the labels, over all of their paths. `lengths` (N,) counts
    the valid frames.
    """

    labels: list[NDArray[np.int64]]
    path: NDArray[np.int64]
    confidence: NDArray[np.float32]
    scores: NDArray[np.float32]
    lengths: NDArray[np.int64]

    def spans(self) -> Spans:
        """Return where on the path each label stands; of labels without any path, nowhere."""
        return runs(self.path, self.scores)

    def key_frames(self) -> list[NDArray[np.int64]]:
        """Return the most probable frame of each label, one array a sample, in order of time."""
        spans = self.spans()
        return parted(spans.key, spans.bounds)

    def blank_ratio(self) -> NDArray[np.float64]:
        """Return the share of valid frames that show blank (N,), NaN where no frame is valid."""
        return _ratio(self.lengths - _shown(self.path), self.lengths)

    def peak_width(self) -> NDArray[np.float64]:
        """Return the mean width in frames of the runs of labels (N,), NaN where there is none."""
        return _ratio(_shown(self.path), starts(self.path).sum(1))


def starts(path: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which frames (N, T) begin a run of a label; a blank begins none."""
    begun: NDArray[np.bool_] = path != BLANK
    begun[:, 1:] &= path[:, 1:] != path[:, :-1]
    return begun


def read(path: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the labels of each path: repeats merged, then blanks removed."""
    first = np.flatnonzero(starts(path))
    return parted(path.reshape(-1)[first], _bounds(first, path))


def parted(values: NDArray[np.int64], bounds: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return `values` (S,) cut at the bounds (N+1,) into one array a sample."""
    return [values[start:end] for start, end in pairwise(bounds.tolist())]


def runs(path: NDArray[np.int64], scores: NDArray[np.float32]) -> Spans:
    """Return the runs of labels on paths (N, T), whose classes have the log-probabilities `scores`.

    A run ends where the class changes, so two runs of one label have a blank between them.
    """
    first = np.flatnonzero(starts(path))
    shown = np.flatnonzero(path)
    # Of the frames that show labels, where each run begins, and the run that each belongs to.
    offsets = shown.searchsorted(first)
    widths = np.diff(offsets, append=len(shown))
    given = scores.reshape(-1)[shown]
    known = np.where(np.isnan(given), -np.inf, given)
    best = np.flatnonzero(known == np.repeat(np.maximum.reduceat(known, offsets), widths))
    frames = path.shape[1]
    start = first % frames if frames else first
    return Spans(
        label=path.reshape(-1)[first],
        start=start,
        end=start + widths,
        key=start + best[best.searchsorted(offsets)] - offsets,
        confidence=np.exp(np.add.reduceat(given, offsets) / widths).astype(np.float32),
        bounds=_bounds(first, path),
    )


def _bounds(first: NDArray[np.int64], path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the flat positions `first` lie before each sample, and in all (N+1,)."""
    samples, frames = path.shape
    bounds: NDArray[np.int64] = first.searchsorted(np.arange(samples + 1) * frames)
    return bounds


def _shown(path: NDArray[np.int64]) -> NDArray[np.int64]:
    shown: NDArray[np.int64] = np.count_nonzero(path, axis=1)
    return shown


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio

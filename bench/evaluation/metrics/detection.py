"""Average precision of segments in time, as temporal action detection measures it.

The procedure is that of THUMOS14 and ActivityNet (Caba Heilbron et al., CVPR 2015), whose public
evaluation interpolates precision at every recall as PASCAL VOC does since 2010. They leave the
treatment of equal scores to the order of a file; it is defined here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Segment(NamedTuple):
    """The frames start, …, end - 1 of a sample, at least one; a true segment needs no score."""

    sample: int
    start: int
    end: int
    score: float = 0.0


def true_segments(sample: int, key_frames: Sequence[int], frames: int) -> list[Segment]:
    """Return the frames that are nearer to each key frame than to any other.

    A frame as near to two of them belongs to neither. The first reaches as far to the left as to
    the right, the last as far to the right as to the left; a single one has all `frames`.

    Raises:
        ValueError: The key frames do not increase within 0, …, frames - 1.
    """
    if any(later <= earlier for earlier, later in pairwise([-1, *key_frames, frames])):
        raise ValueError(
            f"key frames {list(key_frames)} do not increase within the {frames} frames of the path"
        )
    inner = [(later - earlier - 1) // 2 for earlier, later in pairwise(key_frames)]
    reach = [*inner[:1], *inner, *inner[-1:]] or [frames, frames]
    return [
        Segment(sample, max(key - left, 0), min(key + right + 1, frames))
        for key, (left, right) in zip(key_frames, pairwise(reach), strict=False)
    ]


def temporal_iou(a: Segment, b: Segment) -> float:
    """Return the frames of both by the frames of either (the temporal IoU), in 0…1."""
    if a.sample != b.sample:
        return 0.0
    shared = max(min(a.end, b.end) - max(a.start, b.start), 0)
    return shared / (a.end - a.start + b.end - b.start - shared)


@dataclass(frozen=True, eq=False)
class RankedDetections:
    """The detections of one class, from the highest score down, with what each of them matches.

    Attributes:
        samples: The sample of each detection (D,).
        last: Whether each is the last of its score (D,).
        hits: Whether each takes a true segment, at each threshold (H, D).
        truths: The number of true segments of each sample that has some.
    """

    samples: NDArray[np.int64]
    last: NDArray[np.bool_]
    hits: NDArray[np.bool_]
    truths: Counter[int]

    def average_precision(self) -> list[float]:
        """Return the area under the interpolated curve of each threshold, in 0…1.

        Raises:
            ValueError: There is no true segment.
        """
        total = self.truths.total()
        if not total:
            raise ValueError("there is no true segment, so there is no recall")
        ranks = np.flatnonzero(self.last) + 1
        areas = []
        for hits in self.hits:
            right = np.cumsum(hits)[self.last]
            best = np.maximum.accumulate((right / ranks)[::-1])[::-1]
            # The exact sum, so that all machines compute the same bits.
            areas.append(math.fsum((np.diff(right, prepend=0) * best).tolist()) / total)
        return areas

    def leave_one_out(self) -> dict[int, NDArray[np.float64]]:
        """Return `average_precision` (H,) without each sample that has a segment, true or not.

        Those without which there is no true segment have NaN. The cost grows with the product of
        samples and detections.
        """
        samples = np.array(sorted({*self.samples.tolist(), *self.truths}), dtype=np.int64)
        left = self.truths.total() - np.array([self.truths[sample] for sample in samples.tolist()])
        areas = np.where(left > 0, self._areas_without(samples) / np.maximum(left, 1), np.nan)
        return dict(zip(samples.tolist(), areas.T, strict=True))

    def _areas_without(self, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the areas times the number of true segments, without each sample (H, S).

        From the lowest score up, `best` is the best precision from here on; each hit adds it to the
        areas of all samples but its own. Sample by sample, the sums have a fixed order, so that all
        machines compute the same bits.
        """
        columns = np.searchsorted(samples, self.samples)
        size = len(samples)
        hits = self.hits.astype(np.float64)
        right = np.cumsum(hits, axis=1)
        # What is to be left out of ranks and hits: those of the sample itself, so far.
        own_ranks = np.bincount(columns, minlength=size).astype(np.float64)
        own_hits = np.array([np.bincount(columns, row, minlength=size) for row in hits])
        areas = np.zeros((len(hits), size))
        best = np.zeros_like(areas)
        for place in range(len(columns) - 1, -1, -1):
            own = columns[place]
            if self.last[place]:
                ranks = np.maximum(place + 1 - own_ranks, 1)
                np.maximum(best, (right[:, place, None] - own_hits) / ranks, out=best)
            kept = areas[:, own].copy()
            areas += hits[:, place, None] * best
            areas[:, own] = kept
            own_ranks[own] -= 1
            own_hits[:, own] -= hits[:, place]
        return areas


def rank_detections(
    truths: Iterable[Segment], detections: Iterable[Segment], thresholds: Sequence[float]
) -> RankedDetections:
    """Return the detections of a class from the highest score down, with what they match.

    In this order, each takes the true segment that overlaps it most, of those not yet taken that
    overlap it by the threshold or more; without one it is false. Of equal scores the earlier goes
    first, and all of them make a single point of the curve, so that the order of samples is of no
    effect.

    Args:
        truths: The true segments of the class.
        detections: The segments read as the class.
        thresholds: The H smallest overlaps that count.
    """
    ranked = sorted(detections, key=lambda segment: (-segment.score, segment.sample, segment.start))
    wanted = {
        sample: [*segments]
        for sample, segments in groupby(sorted(truths), key=lambda segment: segment.sample)
    }
    hits = np.zeros((len(thresholds), len(ranked)), dtype=np.bool_)
    # The true segments of each sample that are not taken yet, per threshold.
    free = [{sample: [*segments] for sample, segments in wanted.items()} for _ in thresholds]
    for column, segment in enumerate(ranked):
        if segment.sample not in wanted:
            continue
        overlaps = {truth: temporal_iou(truth, segment) for truth in wanted[segment.sample]}
        for row, threshold in enumerate(thresholds):
            left = free[row][segment.sample]
            best = max(left, key=overlaps.__getitem__, default=None)
            if best is not None and overlaps[best] >= threshold:
                hits[row, column] = True
                left.remove(best)
    scores = np.array([segment.score for segment in ranked])
    return RankedDetections(
        samples=np.array([segment.sample for segment in ranked], dtype=np.int64),
        last=np.append(scores[1:] != scores[:-1], True)[: len(ranked)],
        hits=hits,
        truths=Counter({sample: len(segments) for sample, segments in wanted.items()}),
    )


def average_precision(
    truths: Iterable[Segment], detections: Iterable[Segment], threshold: float
) -> float:
    """Return the average precision of one class at one threshold, see `rank`, in 0…1.

    Raises:
        ValueError: There is no true segment.
    """
    (area,) = rank_detections(truths, detections, [threshold]).average_precision()
    return area

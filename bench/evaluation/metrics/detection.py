"""Average precision of segments in time, as in temporal action detection.

Source: THUMOS14 and ActivityNet (Caba Heilbron et al., CVPR 2015), whose public evaluation
interpolates precision at every recall, as PASCAL VOC does since 2010. In it, the order of the file
decides between equal scores; here, equal scores make one point of the curve.
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
    """The frames start, …, end - 1 of a sample, at least one.

    Attributes:
        sample: The number of the sample.
        start: The first frame.
        end: The frame after the last one.
        score: The score of a detection; detections are ranked by it. Unused for a true segment.
    """

    sample: int
    start: int
    end: int
    score: float = 0.0


def true_segments(sample: int, key_frames: Sequence[int], frames: int) -> list[Segment]:
    """Return the frames that are nearer to each key frame than to any other.

    A frame at the same distance from two key frames belongs to neither. The first segment extends
    as far to the left of its key frame as to the right, the last one as far to the right as to the
    left. The segment of a single key frame has all frames.

    Args:
        sample: The number of the sample.
        key_frames: One frame per label, in order of time.
        frames: The number of frames of the sample.

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
    """Return the temporal intersection over union of two segments, in 0…1."""
    if a.sample != b.sample:
        return 0.0
    shared = max(min(a.end, b.end) - max(a.start, b.start), 0)
    return shared / (a.end - a.start + b.end - b.start - shared)


@dataclass(frozen=True, eq=False)
class RankedDetections:
    """The detections of one class from the highest score to the lowest, with their matches.

    Attributes:
        samples: The sample of each detection (D,).
        ends_tie: Whether the next detection has another score, so that a point of the
            precision-recall curve is here (D,).
        hits: Whether each detection matches a true segment, at each of H thresholds (H, D).
        true_counts: The number of true segments of each sample that has some.
    """

    samples: NDArray[np.int64]
    ends_tie: NDArray[np.bool_]
    hits: NDArray[np.bool_]
    true_counts: Counter[int]

    def average_precision(self) -> list[float]:
        """Return the area under the interpolated precision-recall curve per threshold, in 0…1.

        Raises:
            ValueError: There is no true segment.
        """
        total = self.true_counts.total()
        if not total:
            raise ValueError("there is no true segment, so recall is undefined")
        ranks = np.flatnonzero(self.ends_tie) + 1
        areas = []
        for hits in self.hits:
            correct = np.cumsum(hits)[self.ends_tie]
            best = np.maximum.accumulate((correct / ranks)[::-1])[::-1]
            # The exact sum, so that all machines compute the same bits.
            areas.append(math.fsum((np.diff(correct, prepend=0) * best).tolist()) / total)
        return areas

    def leave_one_out(self) -> dict[int, NDArray[np.float64]]:
        """Return the average precision (H,) without one sample, by the sample that is left out.

        Only samples with a detection or a true segment are left out. The value is NaN where no
        other sample has a true segment. The cost grows with the product of samples and detections.
        """
        samples = np.array(sorted({*self.samples.tolist(), *self.true_counts}), dtype=np.int64)
        own = np.array([self.true_counts[sample] for sample in samples.tolist()])
        others = self.true_counts.total() - own
        areas = np.where(others > 0, self._areas_without(samples) / np.maximum(others, 1), np.nan)
        return dict(zip(samples.tolist(), areas.T, strict=True))

    def _areas_without(self, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return, without each of S samples, the area times the number of true segments (H, S).

        The loop goes from the lowest score to the highest. `best` is the highest precision at this
        score or a lower one; each hit adds it to the areas of all samples but its own. The sums
        have a fixed order, so that all machines compute the same bits.
        """
        columns = np.searchsorted(samples, self.samples)
        size = len(samples)
        hits = self.hits.astype(np.float64)
        correct = np.cumsum(hits, axis=1)
        # The detections and hits of each sample itself up to the current rank: they are subtracted.
        own_ranks = np.bincount(columns, minlength=size).astype(np.float64)
        own_hits = np.array([np.bincount(columns, row, minlength=size) for row in hits])
        areas = np.zeros((len(hits), size))
        best = np.zeros_like(areas)
        for index in range(len(columns) - 1, -1, -1):
            own = columns[index]
            if self.ends_tie[index]:
                ranks = np.maximum(index + 1 - own_ranks, 1)
                np.maximum(best, (correct[:, index, None] - own_hits) / ranks, out=best)
            own_areas = areas[:, own].copy()
            areas += hits[:, index, None] * best
            areas[:, own] = own_areas
            own_ranks[own] -= 1
            own_hits[:, own] -= hits[:, index]
        return areas


def rank_detections(
    references: Iterable[Segment], detections: Iterable[Segment], thresholds: Sequence[float]
) -> RankedDetections:
    """Match the detections of a class with its true segments, from the highest score to the lowest.

    A detection matches the unmatched true segment of its sample with the largest temporal IoU, if
    this is at least the threshold; otherwise it is a false positive. Among equal scores, the first
    by sample and start is matched first, and all of them make one point of the curve, so that the
    order of the samples has no effect.

    Args:
        references: The true segments of the class.
        detections: The segments read as the class.
        thresholds: The H smallest temporal IoUs of a match.
    """
    ranked = sorted(detections, key=lambda segment: (-segment.score, segment.sample, segment.start))
    by_sample = {
        sample: [*segments]
        for sample, segments in groupby(sorted(references), key=lambda segment: segment.sample)
    }
    hits = np.zeros((len(thresholds), len(ranked)), dtype=np.bool_)
    # Per threshold, the true segments of each sample that no detection matches yet.
    unmatched = [
        {sample: [*segments] for sample, segments in by_sample.items()} for _ in thresholds
    ]
    for column, segment in enumerate(ranked):
        if segment.sample not in by_sample:
            continue
        ious = {
            reference: temporal_iou(reference, segment) for reference in by_sample[segment.sample]
        }
        for row, threshold in enumerate(thresholds):
            candidates = unmatched[row][segment.sample]
            best = max(candidates, key=ious.__getitem__, default=None)
            if best is not None and ious[best] >= threshold:
                hits[row, column] = True
                candidates.remove(best)
    scores = np.array([segment.score for segment in ranked])
    return RankedDetections(
        samples=np.array([segment.sample for segment in ranked], dtype=np.int64),
        ends_tie=np.append(scores[1:] != scores[:-1], True)[: len(ranked)],
        hits=hits,
        true_counts=Counter({sample: len(segments) for sample, segments in by_sample.items()}),
    )


def average_precision(
    references: Iterable[Segment], detections: Iterable[Segment], threshold: float
) -> float:
    """Return the average precision of one class at one threshold of temporal IoU, in 0…1.

    Args:
        references: The true segments of the class.
        detections: The segments read as the class, matched by `rank_detections`.
        threshold: The smallest temporal IoU of a match.

    Raises:
        ValueError: There is no true segment.
    """
    (area,) = rank_detections(references, detections, [threshold]).average_precision()
    return area

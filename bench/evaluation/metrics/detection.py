"""Average precision of segments found in time, as temporal action detection measures it.

The procedure is that of THUMOS14 and ActivityNet (Caba Heilbron et al., CVPR 2015), whose public
evaluation interpolates precision at every recall as PASCAL VOC does since 2010. What these leave
to the order of a file, equal scores, is defined here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Segment(NamedTuple):
    """The frames start, …, end - 1 of a sample, at least one; a true segment needs no score."""

    sample: int
    start: int
    end: int
    score: float = 0.0


def true_segments(sample: int, key_frames: Sequence[int], frames: int) -> list[Segment]:
    """Return the frames that are nearer to each key frame than to any other.

    A frame as near to two of them belongs to neither. The first reaches as far to the left as to
    the right, the last as far to the right as to the left; one alone has all `frames`. Raises
    ValueError where the key frames do not rise within 0, …, frames - 1.
    """
    if any(later <= earlier for earlier, later in pairwise([-1, *key_frames, frames])):
        raise ValueError(
            f"key frames {list(key_frames)} do not rise within the {frames} frames of the path"
        )
    inner = [(later - earlier - 1) // 2 for earlier, later in pairwise(key_frames)]
    reach = [*inner[:1], *inner, *inner[-1:]] or [frames, frames]
    return [
        Segment(sample, max(key - left, 0), min(key + right + 1, frames))
        for key, (left, right) in zip(key_frames, pairwise(reach), strict=False)
    ]


def overlap(one: Segment, other: Segment) -> float:
    """Return the frames of both by the frames of either (the temporal IoU), in 0…1."""
    if one.sample != other.sample:
        return 0.0
    shared = max(min(one.end, other.end) - max(one.start, other.start), 0)
    return shared / (one.end - one.start + other.end - other.start - shared)


def average_precision(
    truths: Sequence[Segment], found: Iterable[Segment], threshold: float
) -> float:
    """Return the area under the interpolated curve of precision over recall, in 0…1.

    From the highest score down, each segment found takes the true one that overlaps it most, of
    those not yet taken that overlap it by `threshold` or more; without one it is false. Of equal
    scores the earlier goes first, and all of them make a single point of the curve, so that no
    order of samples matters. Raises ValueError where nothing is true.
    """
    if not truths:
        raise ValueError("without a true segment there is no recall")
    ranked = sorted(found, key=lambda segment: (-segment.score, segment.sample, segment.start))
    if not ranked:
        return 0.0
    scores = np.array([segment.score for segment in ranked])
    last = np.append(scores[1:] != scores[:-1], True)
    right = np.cumsum(_hits(truths, ranked, threshold))[last]
    precision = right / (np.flatnonzero(last) + 1)
    interpolated = np.maximum.accumulate(precision[::-1])[::-1]
    # The exact sum, so that all machines find the same bits.
    return math.fsum((np.diff(right, prepend=0) * interpolated).tolist()) / len(truths)


def _hits(truths: Sequence[Segment], ranked: list[Segment], threshold: float) -> list[bool]:
    """Return which of the ranked segments take a true one."""
    free: dict[int, list[Segment]] = {}
    for truth in sorted(truths):
        free.setdefault(truth.sample, []).append(truth)
    hits = []
    for segment in ranked:
        near = free.get(segment.sample, [])
        best = max(near, key=lambda truth: overlap(truth, segment), default=None)
        hits.append(best is not None and overlap(best, segment) >= threshold)
        if best is not None and hits[-1]:
            near.remove(best)
    return hits

"""1 − NED, one minus the normalized edit distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import PARTS_PER_MILLION, Counts, Metric

if TYPE_CHECKING:
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol


class OneMinusNormalizedEditDistance(Metric):
    """The mean over samples of 1 − d(r, h) / max(|r|, |h|): each sample has the same weight.

    d is the Levenshtein distance. Numerators are parts per million, rounded half to even, because
    counts are integers.

    Source: Chng et al., "ICDAR2019 Robust Reading Challenge on Arbitrary-Shaped Text"
    (arXiv 1909.07145).
    """

    name = "one-minus-ned"
    title = "1 − NED"
    higher_is_better = True
    max_value = 1.0

    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether the protocol compares characters."""
        return protocol.compares_characters

    def counts(self, readings: Readings) -> Counts:
        """Return the similarity in parts per million, out of a million."""
        import numpy as np

        longer = np.maximum(readings.reference_lengths, readings.hypothesis_lengths)
        distances = readings.edits * PARTS_PER_MILLION / np.maximum(longer, 1)
        similarities = PARTS_PER_MILLION - np.rint(distances).astype(np.int64)
        return Counts(similarities, np.full_like(similarities, PARTS_PER_MILLION))

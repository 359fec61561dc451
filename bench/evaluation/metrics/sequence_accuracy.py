"""Sequence accuracy: the share of samples read without an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import Counts, Metric

if TYPE_CHECKING:
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol


class SequenceAccuracy(Metric):
    """The share of samples without an edit; for single words also called word accuracy or CWR."""

    name = "sequence-accuracy"
    title = "accuracy"
    higher_is_better = True
    max_value = 1.0
    ratio = ("correct", "samples")

    def defined_for(self, protocol: Protocol) -> bool:
        """Return True: every protocol compares sequences."""
        del protocol
        return True

    def counts(self, readings: Readings) -> Counts:
        """Return 1 for a sample without an edit and 0 for any other, out of 1."""
        import numpy as np

        correct = np.array(readings.equal, dtype=np.int64)
        return Counts(correct, np.ones_like(correct))

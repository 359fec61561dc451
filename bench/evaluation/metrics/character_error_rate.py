"""CER, the character error rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import Counts, Metric

if TYPE_CHECKING:
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol


class CharacterErrorRate(Metric):
    """Σ d(r, h) / Σ |r| over samples, in the protocol's unit of characters or bytes.

    d is the Levenshtein distance of reference r and hypothesis h, |r| the length of r.

    Source: Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals"
    (1966).
    """

    name = "cer"
    title = "CER"
    higher_is_better = False
    ratio = ("edits", "units")

    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether the protocol compares characters or bytes, not glosses."""
        return protocol.unit != "gloss"

    def counts(self, readings: Readings) -> Counts:
        """Return the edits, out of the length of the reference."""
        return Counts(readings.edits, readings.reference_lengths)

"""CCR, the correct character rate: the share of characters read correctly at their position."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import Counts, Metric

if TYPE_CHECKING:
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol


class CharacterAccuracy(Metric):
    """Σ |{i : rᵢ = hᵢ}| / Σ |r| over samples.

    r is the reference, h the hypothesis. The comparison is position by position: after a deleted
    or inserted character, all later ones count as wrong. So the CCR is not 1 − CER.

    Source: the code of Fang et al., "Read Like Humans" (ABINet, CVPR 2021); ConCLR reports it too.
    """

    name = "ccr"
    title = "CCR"
    higher_is_better = True
    max_value = 1.0
    ratio = ("at their position", "units")

    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether the protocol compares characters."""
        return protocol.compares_characters

    def counts(self, readings: Readings) -> Counts:
        """Return the characters read correctly at their position, out of those of the reference."""
        import numpy as np

        lengths = readings.reference_lengths
        pairs = zip(
            readings.reference_tokens,
            readings.hypothesis_tokens,
            readings.equal,
            lengths.tolist(),
            strict=True,
        )
        matches = [length if same else sum(map(eq, r, h)) for r, h, same, length in pairs]
        return Counts(np.array(matches, dtype=np.int64), lengths)

"""WER, the word error rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import Counts, Metric

if TYPE_CHECKING:
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol


class WordErrorRate(Metric):
    """Σ d(words r, words h) / Σ |words r| over samples; the protocol defines words.

    d is the Levenshtein distance in words. For glosses, an alignment at the protocol's costs
    determines the edits, and each edit counts as one, as in NIST's sclite.
    """

    name = "wer"
    title = "WER"
    higher_is_better = False
    ratio = ("edits", "words")

    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether the protocol has words: glosses, or characters with a word rule."""
        words = protocol.compares_characters and protocol.word_rule != ""
        return protocol.unit == "gloss" or words

    def counts(self, readings: Readings) -> Counts:
        """Return the edits in words, out of the words of the reference."""
        return Counts(readings.word_edits, readings.word_lengths)

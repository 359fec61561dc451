"""Decoding of logits to texts with confidences, by the decoders of bench."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from bench.core.recognition import Reading

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.components import Decoder
    from bench.core.types import DecoderFamily
    from bench.decoding.algorithms.decoded import Decoded

Confidence = Literal["product", "mean"]
"""`product`: the confidence of the decoder, which is the probability of its path or of its labels.
`mean`: the mean probability of the labels on the path, over the frames or steps with a label."""


class TextDecoding:
    """Decodes logits (N, T, C), where class 0 is blank or end of sequence, to readings.

    Args:
        family: The decoder family of the logits.
        vocabulary: The text of each class from 1; empty for a class that is not a character.
        decoder: A decoder for the family.
        confidence: The kind of confidence of a reading.
        separator: The text between two labels.

    Raises:
        BenchError: A file of the decoder is missing or malformed.
    """

    def __init__(
        self,
        family: DecoderFamily,
        vocabulary: tuple[str, ...],
        decoder: Decoder,
        confidence: Confidence = "product",
        separator: str = "",
    ) -> None:
        self._vocabulary = vocabulary
        self._decode = decoder.build(family, vocabulary)
        self._confidence = confidence
        self._separator = separator
        self.alphabet = frozenset(separator).union(*vocabulary)
        """The characters that texts can have."""

    def readings(self, logits: Tensor, lengths: Tensor) -> list[Reading]:
        """Return the readings of N samples, of which `lengths` (N,) frames or steps are valid."""
        decoded = self._decode(logits, lengths)
        confidences = _means(decoded) if self._confidence == "mean" else decoded.confidence.tolist()
        return [
            Reading(
                self._separator.join(filter(None, (self._vocabulary[c - 1] for c in labels))),
                min(max(confidence, 0.0), 1.0) if math.isfinite(confidence) else None,
            )
            for labels, confidence in zip(decoded.labels, confidences, strict=True)
        ]


def _means(decoded: Decoded) -> list[float]:
    """Return the mean probability of the labels on each path; 0 for a path without labels."""
    import numpy as np

    is_label = decoded.path != 0
    counts = is_label.sum(1)
    sums = np.where(is_label, np.exp(decoded.scores), 0).sum(1)
    means: list[float] = np.divide(sums, counts, out=np.zeros(len(sums)), where=counts > 0).tolist()
    return means

"""The scored samples of a split, with the values that several metrics share, computed once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import editdistance
import numpy as np

from bench.core.errors import BenchError
from bench.evaluation.metrics.edit_alignment import UNIT_COSTS, Edit, align_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.evaluation.metrics.localization import LocalizationColumns
    from bench.evaluation.protocols import Protocol


class Readings:
    """N scored samples under a protocol: pairs of normalized texts.

    Units, edits, words and alignments are computed on first use and shared by the metrics.

    Args:
        protocol: The rules under which the texts were normalized.
        ids: The names of the samples in messages (N,).
        references: The normalized references (N,).
        hypotheses: The normalized hypotheses (N,).
        frames: The positions of labels in time, for metrics of localization; None if unknown.
    """

    def __init__(
        self,
        protocol: Protocol,
        ids: Sequence[str],
        references: Sequence[str],
        hypotheses: Sequence[str],
        frames: LocalizationColumns | None = None,
    ) -> None:
        self.protocol = protocol
        self.ids = ids
        self.references = references
        self.hypotheses = hypotheses
        self.frames = frames

    def __len__(self) -> int:
        return len(self.references)

    @cached_property
    def reference_tokens(self) -> Sequence[Sequence[str]]:
        """The units of each reference."""
        return self._tokens(self.references)

    @cached_property
    def hypothesis_tokens(self) -> Sequence[Sequence[str]]:
        """The units of each hypothesis."""
        return self._tokens(self.hypotheses)

    @cached_property
    def equal(self) -> list[bool]:
        """Whether the reference and the hypothesis of each sample have the same units."""
        pairs = zip(self.reference_tokens, self.hypothesis_tokens, strict=True)
        return [reference == hypothesis for reference, hypothesis in pairs]

    @cached_property
    def reference_lengths(self) -> NDArray[np.int64]:
        """The number of units of each reference (N,)."""
        return _integers(map(len, self.reference_tokens), len(self))

    @cached_property
    def hypothesis_lengths(self) -> NDArray[np.int64]:
        """The number of units of each hypothesis (N,)."""
        return _integers(map(len, self.hypothesis_tokens), len(self))

    @cached_property
    def alignments(self) -> list[list[Edit]]:
        """The edits of each sample, by an alignment at the costs of the protocol.

        Raises:
            BenchError: A sample is too long to be aligned; the message has its id.
        """
        costs = self.protocol.costs
        alignments: list[list[Edit]] = []
        rows = zip(self.reference_tokens, self.hypothesis_tokens, self.equal, strict=True)
        try:
            for reference, hypothesis, same in rows:
                alignments.append([] if same else align_units(reference, hypothesis, costs))
        except BenchError as error:
            raise BenchError(f"sample '{self.ids[len(alignments)]}': {error}") from None
        return alignments

    @cached_property
    def edits(self) -> NDArray[np.int64]:
        """The number of edits in units between the two texts of each sample (N,)."""
        # Without weighted costs, the distance alone is enough, and faster than an alignment.
        if "alignments" in self.__dict__ or self.protocol.costs != UNIT_COSTS:
            return _integers(map(len, self.alignments), len(self))
        return self._distances(self.reference_tokens, self.hypothesis_tokens)

    @cached_property
    def word_edits(self) -> NDArray[np.int64]:
        """The number of edits in words between the two texts of each sample (N,)."""
        if self.protocol.unit == "gloss":
            return self.edits
        words = self.protocol.words
        hypotheses = [
            () if same else words(text)
            for text, same in zip(self.hypotheses, self.equal, strict=True)
        ]
        return self._distances(self._reference_words, hypotheses)

    @cached_property
    def word_lengths(self) -> NDArray[np.int64]:
        """The number of words of each reference (N,)."""
        return _integers(map(len, self._reference_words), len(self))

    @cached_property
    def _reference_words(self) -> Sequence[Sequence[str]]:
        if self.protocol.unit == "gloss":
            return self.reference_tokens
        return [self.protocol.words(text) for text in self.references]

    def _tokens(self, texts: Sequence[str]) -> Sequence[Sequence[str]]:
        return texts if self.protocol.unit == "character" else [*map(self.protocol.tokens, texts)]

    def _distances(
        self, references: Iterable[Sequence[str]], hypotheses: Iterable[Sequence[str]]
    ) -> NDArray[np.int64]:
        """Return the Levenshtein distance of each pair (N,), 0 where the samples are equal."""
        rows = zip(references, hypotheses, self.equal, strict=True)
        distance = editdistance.eval
        return _integers((0 if same else distance(r, h) for r, h, same in rows), len(self))


class NormalizedSamples(NamedTuple):
    """M samples normalized under a protocol, and the N of them that are scored.

    Attributes:
        references: The normalized references (M,).
        reasons: Why each sample is excluded; None if it is scored (M,).
        readings: The scored samples.
    """

    references: list[str]
    reasons: list[str | None]
    readings: Readings


def normalize_samples(
    protocol: Protocol, ids: Sequence[str], references: Sequence[str], hypotheses: Sequence[str]
) -> NormalizedSamples:
    """Normalize M samples and separate those that the protocol excludes."""
    normalized = [*map(protocol.normalize, references)]
    reasons = [*map(protocol.excludes, references, normalized)]
    rows = zip(ids, normalized, hypotheses, reasons, strict=True)
    scored = [
        (identity, *protocol.pair_normalized(reference, hypothesis))
        for identity, reference, hypothesis, reason in rows
        if reason is None
    ]
    columns = zip(*scored, strict=True) if scored else ((), (), ())
    return NormalizedSamples(normalized, reasons, Readings(protocol, *columns))


def _integers(values: Iterable[int], count: int) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64, count)

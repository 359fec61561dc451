"""The scored samples of a split, and what several metrics need of them, computed once."""

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

    from bench.evaluation.metrics.localization import Columns
    from bench.evaluation.protocols import Protocol


class Readings:
    """N scored samples under a protocol: pairs of normalized texts.

    All else is computed on first use and shared by the metrics.

    Attributes:
        protocol: The rules under which the texts were normalized.
        ids: What messages call the samples.
        references: The normalized references.
        hypotheses: The normalized hypotheses.
        frames: Where labels are read, for metrics of localization; None if that is unknown.
    """

    def __init__(
        self,
        protocol: Protocol,
        ids: Sequence[str],
        references: Sequence[str],
        hypotheses: Sequence[str],
        frames: Columns | None = None,
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
        """Whether reference and hypothesis of each sample have the same units."""
        pairs = zip(self.reference_tokens, self.hypothesis_tokens, strict=True)
        return [reference == hypothesis for reference, hypothesis in pairs]

    @cached_property
    def reference_lengths(self) -> NDArray[np.int64]:
        """The units of each reference (N,)."""
        return _integers(map(len, self.reference_tokens), len(self))

    @cached_property
    def hypothesis_lengths(self) -> NDArray[np.int64]:
        """The units of each hypothesis (N,)."""
        return _integers(map(len, self.hypothesis_tokens), len(self))

    @cached_property
    def alignments(self) -> list[list[Edit]]:
        """The edits of each sample at the protocol's costs.

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
            raise BenchError(f"{self.ids[len(alignments)]}: {error}") from None
        return alignments

    @cached_property
    def edits(self) -> NDArray[np.int64]:
        """The edits in units between both texts of each sample (N,)."""
        # The number of edits depends on the alignment only where they have different costs.
        if "alignments" in self.__dict__ or self.protocol.costs != UNIT_COSTS:
            return _integers(map(len, self.alignments), len(self))
        return self._distances(self.reference_tokens, self.hypothesis_tokens)

    @cached_property
    def word_edits(self) -> NDArray[np.int64]:
        """The edits in words between both texts of each sample (N,)."""
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
        """The words of each reference (N,)."""
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
    """M samples under a protocol, and the N of them that are scored.

    Attributes:
        references: The normalized references (M,).
        reasons: Why each sample is excluded, None if it is scored (M,).
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
    kept = [
        (identity, *protocol.pair_normalized(reference, hypothesis))
        for identity, reference, hypothesis, reason in rows
        if reason is None
    ]
    columns = zip(*kept, strict=True) if kept else ((), (), ())
    return NormalizedSamples(normalized, reasons, Readings(protocol, *columns))


def _integers(values: Iterable[int], count: int) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64, count)

"""Error rates of a corpus: sums of what is counted per sample, divided at the very end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import editdistance


class Edits(NamedTuple):
    """One sample's edits (the Levenshtein distance) and the length of its reference."""

    edits: int
    length: int


class Compared(NamedTuple):
    """What is counted of one sample; None where the protocol does not define it.

    `edits` and `length` as in `Edits`, in units of the protocol; `read` is the length of the
    hypothesis in them. `placed` counts the places at which both have the same character.
    """

    edits: int
    length: int
    read: int | None = None
    placed: int | None = None
    word_edits: int | None = None
    words: int | None = None

    @property
    def similarity(self) -> float | None:
        """1 − NED, one minus the edits by the longer of the two lengths (ICDAR 2019)."""
        if self.read is None:
            return None
        longer = max(self.read, self.length)
        return 1 - self.edits / longer if longer else 1.0


def edits(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> Edits:
    """Count insertions, deletions and substitutions between two sequences of tokens."""
    if not (isinstance(reference, str) and isinstance(hypothesis, str)):
        # editdistance compares hashes; different tokens may have the same one, such as -1 and -2.
        numbers: dict[Hashable, int] = {}
        reference, hypothesis = (
            [numbers.setdefault(token, len(numbers)) for token in tokens]
            for tokens in (reference, hypothesis)
        )
    return Edits(editdistance.eval(reference, hypothesis), len(reference))


@dataclass(frozen=True)
class ErrorRates:
    """Sums over the scored samples of a split, and how many were left out and why.

    `edits`, `length` and `placed` are corpus sums, `correct` counts samples without an edit,
    `words` are edits and length in words, `similarity` is the sum of 1 − NED. None: not defined by
    the protocol, or not counted yet when the record was written.
    """

    samples: int
    correct: int
    edits: int
    length: int
    excluded: dict[str, int]
    words: Edits | None = None
    placed: int | None = None
    similarity: float | None = None

    @property
    def sequence_accuracy(self) -> float:
        """The share of samples read without a single edit, in 0…1; of words, CWR."""
        return self.correct / self.samples

    @property
    def cer(self) -> float:
        """All edits over all reference characters; above 1 when much is inserted.

        Where a protocol's unit is the gloss, both are of glosses and this is the WER.
        """
        return self.edits / self.length

    @property
    def wer(self) -> float | None:
        """All edits in words over all words of the references, or None without a word rule."""
        return self.words.edits / self.words.length if self.words and self.words.length else None

    @property
    def one_minus_ned(self) -> float | None:
        """The mean over the samples of 1 − edits / the longer length (ICDAR 2019)."""
        return None if self.similarity is None else self.similarity / self.samples

    @property
    def ccr(self) -> float | None:
        """The share of the references' characters that stand in the hypothesis at their place.

        ABINet and ConCLR call this CCR. It is no 1 − CER: one lost letter moves all after it.
        """
        return None if self.placed is None else self.placed / self.length


@dataclass
class Sums:
    """A corpus on its way: samples are added one by one and not kept."""

    samples: int = 0
    correct: int = 0
    edits: int = 0
    length: int = 0
    words: Edits | None = field(default_factory=lambda: Edits(0, 0))
    placed: int | None = 0
    similarity: float | None = 0.0
    excluded: Counter[str] = field(default_factory=Counter)

    def add(self, one: Compared) -> None:
        """Add a sample that is scored."""
        self.samples += 1
        self.correct += one.edits == 0
        self.edits += one.edits
        self.length += one.length
        # What one sample lacks, the corpus lacks: half a sum would pass for a whole one.
        if self.placed is not None:
            self.placed = None if one.placed is None else self.placed + one.placed
        if self.similarity is not None:
            near = one.similarity if one.edits or one.read is None else 1.0
            self.similarity = None if near is None else self.similarity + near
        if self.words is not None:
            if one.word_edits is None or one.words is None:
                self.words = None
            else:
                total = self.words
                self.words = Edits(total.edits + one.word_edits, total.length + one.words)

    def rates(self) -> ErrorRates:
        """Return the sums. Raises ValueError on no sample: no score is not a score of zero."""
        if not self.length:
            raise ValueError("no sample with a reference is left to score")
        return ErrorRates(
            samples=self.samples,
            correct=self.correct,
            edits=self.edits,
            length=self.length,
            excluded=dict(sorted(self.excluded.items())),
            words=self.words,
            placed=self.placed,
            similarity=self.similarity,
        )


def error_rates(
    pairs: Iterable[Edits | Compared], excluded: dict[str, int] | None = None
) -> ErrorRates:
    """Sum per-sample pairs. Raises ValueError on no sample: no score is not a score of zero."""
    sums = Sums(excluded=Counter(excluded or {}))
    for pair in pairs:
        sums.add(pair if isinstance(pair, Compared) else Compared(*pair))
    return sums.rates()

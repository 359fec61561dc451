"""Character error rate and sequence accuracy, from pairs of reference and hypothesis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import editdistance


class Edits(NamedTuple):
    """One sample's edits (the Levenshtein distance) and the length of its reference."""

    edits: int
    length: int


def edits(reference: Sequence[str], hypothesis: Sequence[str]) -> Edits:
    """Count insertions, deletions and substitutions between two sequences of tokens."""
    return Edits(editdistance.eval(reference, hypothesis), len(reference))


@dataclass(frozen=True)
class ErrorRates:
    """Sums over the scored samples of a split, and how many were left out and why.

    `edits` and `length` are corpus sums, `correct` counts samples without an edit.
    """

    samples: int
    correct: int
    edits: int
    length: int
    excluded: dict[str, int]

    @property
    def sequence_accuracy(self) -> float:
        """The share of samples read without a single edit, in 0…1."""
        return self.correct / self.samples

    @property
    def cer(self) -> float:
        """All edits over all reference characters; above 1 when much is inserted."""
        return self.edits / self.length


def error_rates(pairs: Iterable[Edits], excluded: dict[str, int] | None = None) -> ErrorRates:
    """Sum per-sample pairs. Raises ValueError on no sample: no score is not a score of zero."""
    counted = list(pairs)
    if not counted or not sum(pair.length for pair in counted):
        raise ValueError("no sample with a reference is left to score")
    return ErrorRates(
        samples=len(counted),
        correct=sum(pair.edits == 0 for pair in counted),
        edits=sum(pair.edits for pair in counted),
        length=sum(pair.length for pair in counted),
        excluded=excluded or {},
    )

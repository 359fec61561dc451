"""All that a protocol says of a corpus, from texts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bench.core import hashing
from bench.core.errors import BenchError
from bench.evaluation.metrics.count_errors import compare
from bench.evaluation.metrics.edit_alignment import Edit, aligned
from bench.evaluation.metrics.error_rates import ErrorRates, Sums
from bench.evaluation.protocols import Protocol

CONFUSIONS = 100
"""How many kinds of edits a score keeps, the most frequent first."""


class Sample(NamedTuple):
    """A reference and what was read for it; `where` names it in messages."""

    where: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class Confusion:
    """How often `hypothesis` was read for `reference`; nothing read, or nothing there, is empty."""

    reference: str
    hypothesis: str
    count: int


@dataclass(frozen=True)
class OfLength:
    """The scored samples whose reference has `length` units, and how many are read flawlessly."""

    length: int
    samples: int
    correct: int


@dataclass(frozen=True)
class Score:
    """A corpus under a protocol. Rates are shares, None where the protocol does not define them.

    `key` hashes `protocol`, its spec. `cer` is that of characters or bytes, `wer` that of words or
    glosses. `normalised` counts scored references that the protocol changed. `batch_cer` is the
    mean over batches that a protocol with a `batch` asks for.
    """

    key: str
    protocol: dict[str, Any]
    rates: ErrorRates
    cer: float | None
    wer: float | None
    sequence_accuracy: float
    one_minus_ned: float | None
    ccr: float | None
    batch_cer: float | None
    substitutions: int
    insertions: int
    deletions: int
    normalised: int
    by_length: list[OfLength]
    confusions: list[Confusion]


@dataclass
class Tally:
    """A corpus on its way: samples are added one by one, and none is kept."""

    protocol: Protocol
    sums: Sums = field(default_factory=Sums)
    edits: Counter[Edit] = field(default_factory=Counter)
    lengths: Counter[tuple[int, bool]] = field(default_factory=Counter)
    normalised: int = 0
    _batches: list[float] = field(default_factory=list)
    _batch: tuple[int, int] = (0, 0)

    def add(self, sample: Sample) -> None:
        """Compare a sample, or leave it out. Raises BenchError where it is too long to align."""
        left = self.protocol.normalise(sample.reference)
        if reason := self.protocol.reason(sample.reference, left):
            self.sums.excluded[reason] += 1
            return
        reference, hypothesis = self.protocol.paired(left, sample.hypothesis)
        found = [] if reference == hypothesis else self._aligned(sample, reference, hypothesis)
        for edit in found:
            self.edits[edit] += 1
        one = compare(self.protocol, reference, hypothesis, len(found))
        self.sums.add(one)
        self.lengths[one.length, not one.edits] += 1
        self.normalised += left != sample.reference
        if self.protocol.batch:
            self._batch = self._batch[0] + one.edits, self._batch[1] + one.length
            if self.sums.samples % self.protocol.batch == 0:
                self._end_batch()

    def score(self) -> Score:
        """Return the score. Raises ValueError where no sample is left to score."""
        rates, spec = self.sums.rates(), self.protocol.spec()
        if self._batch[1]:
            self._end_batch()
        kinds = Counter[tuple[bool, bool]]()
        for edit, count in self.edits.items():
            kinds[edit.reference is None, edit.hypothesis is None] += count
        return Score(
            key=hashing.digest(spec),
            protocol=spec,
            rates=rates,
            cer=None if self.protocol.unit == "gloss" else rates.cer,
            wer=rates.wer,
            sequence_accuracy=rates.sequence_accuracy,
            one_minus_ned=rates.one_minus_ned,
            ccr=rates.ccr,
            batch_cer=sum(self._batches) / len(self._batches) if self._batches else None,
            substitutions=kinds[False, False],
            insertions=kinds[True, False],
            deletions=kinds[False, True],
            normalised=self.normalised,
            by_length=self._by_length(),
            confusions=self._confusions(),
        )

    def _aligned(self, sample: Sample, reference: str, hypothesis: str) -> list[Edit]:
        wanted, read = self.protocol.tokens(reference), self.protocol.tokens(hypothesis)
        try:
            return aligned(wanted, read, self.protocol.costs)
        except BenchError as error:
            raise BenchError(f"{sample.where}: {error}") from None

    def _end_batch(self) -> None:
        self._batches.append(self._batch[0] / self._batch[1])
        self._batch = 0, 0

    def _by_length(self) -> list[OfLength]:
        lengths = sorted({length for length, _ in self.lengths})
        return [
            OfLength(n, self.lengths[n, True] + self.lengths[n, False], self.lengths[n, True])
            for n in lengths
        ]

    def _confusions(self) -> list[Confusion]:
        kinds = [Confusion(e.reference or "", e.hypothesis or "", n) for e, n in self.edits.items()]
        # Of equals the first by name, so that the same corpus in another order gives the same.
        ranked = sorted(kinds, key=lambda kind: (-kind.count, kind.reference, kind.hypothesis))
        return ranked[:CONFUSIONS]


def score(protocol: Protocol, samples: Iterable[Sample]) -> Score:
    """Return the score of `samples`, each held no longer than it takes to count it.

    Raises ValueError where none is left to score, BenchError where one is too long to align.
    """
    tally = Tally(protocol)
    for sample in samples:
        tally.add(sample)
    return tally.score()

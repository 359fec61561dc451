"""The score of a corpus under a protocol, computed from texts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from bench.core import hashing
from bench.evaluation.metrics.edit_alignment import Edit
from bench.evaluation.metrics.metric import Metric, metrics_of
from bench.evaluation.metrics.readings import Readings, normalize_samples
from bench.evaluation.protocols import Protocol

MAX_CONFUSIONS = 100
"""The number of kinds of edits that a score lists, the most frequent first."""
_SAMPLES_PER_BATCH = 1024


class Sample(NamedTuple):
    """A reference and its hypothesis.

    Attributes:
        where: The position of the sample, for messages, such as file and line.
        reference: The true text.
        hypothesis: The text read.
    """

    where: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class Confusion:
    """A kind of edit and its frequency.

    Attributes:
        reference: The unit of the reference; empty for an insertion.
        hypothesis: The unit read for it; empty for a deletion.
        count: How often it occurs.
    """

    reference: str
    hypothesis: str
    count: int


@dataclass(frozen=True)
class LengthAccuracy:
    """Accuracy of the scored samples with references of one length.

    Attributes:
        length: The length of the references in units.
        samples: The number of these samples.
        correct: How many of them are read without an edit.
    """

    length: int
    samples: int
    correct: int


@dataclass(frozen=True)
class MetricScore:
    """The value of a metric: the sum of its numerators divided by that of its denominators."""

    value: float
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Score:
    """The score of a corpus under a protocol.

    Attributes:
        key: The hash of `protocol`.
        protocol: The spec of the protocol.
        samples: The number of scored samples.
        excluded: The number of excluded samples, by reason.
        metrics: The metrics of the protocol that are computed from texts alone, by name.
        batch_mean: The mean of the ranking metric over batches; None unless the protocol has a
            `batch`.
        substitutions: The number of substituted units in the alignments.
        insertions: The number of inserted units.
        deletions: The number of deleted units.
        normalized: How many scored references the protocol changed.
        dropped: How often the protocol drops each character of the references, by character.
        by_length: Accuracy by the length of the reference, the shortest first.
        confusions: The most frequent edits, at most `MAX_CONFUSIONS`.
    """

    key: str
    protocol: dict[str, Any]
    samples: int
    excluded: dict[str, int]
    metrics: dict[str, MetricScore]
    batch_mean: float | None
    substitutions: int
    insertions: int
    deletions: int
    normalized: int
    dropped: dict[str, int]
    by_length: list[LengthAccuracy]
    confusions: list[Confusion]


@dataclass
class _Tally:
    """Sums over a corpus, to which samples are added batch by batch."""

    protocol: Protocol
    metrics: list[Metric]
    samples: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    ranked: list[tuple[int, int]] = field(default_factory=list)
    edits: Counter[Edit] = field(default_factory=Counter)
    lengths: Counter[tuple[int, bool]] = field(default_factory=Counter)
    normalized: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, batch: list[Sample]) -> None:
        positions, references, hypotheses = map(list, zip(*batch, strict=True))
        normalized, reasons, readings = normalize_samples(
            self.protocol, positions, references, hypotheses
        )
        for reference in references:
            self.dropped.update(self.protocol.dropped(reference))
        for before, after, reason in zip(references, normalized, reasons, strict=True):
            if reason is None:
                self.normalized += before != after
            else:
                self.excluded[reason] += 1
        if len(readings):
            self._count(readings)

    def _count(self, readings: Readings) -> None:
        self.samples += len(readings)
        # First, because the metrics then get the number of edits from the alignments.
        for edits in readings.alignments:
            self.edits.update(edits)
        self.lengths.update(zip(readings.reference_lengths.tolist(), readings.equal, strict=True))
        for metric in self.metrics:
            counts = metric.counts(readings)
            if counts is None:
                continue
            above, below = self.sums.get(metric.name, (0, 0))
            sums = (int(values.sum()) for values in counts)
            self.sums[metric.name] = above + next(sums), below + next(sums)
            if self.protocol.batch and metric.name == self.protocol.ranked_by:
                self.ranked += zip(*(values.tolist() for values in counts), strict=True)


def score_samples(protocol: Protocol, samples: Iterable[Sample]) -> Score:
    """Return the score of samples, which are read batch by batch and not kept in memory.

    Raises:
        ValueError: No sample is scored.
        BenchError: A sample is too long to be aligned.
    """
    # Metrics of the whole corpus need the positions of labels in time, which texts do not have.
    metrics = [metric for metric in metrics_of(protocol) if not metric.whole_corpus]
    tally = _Tally(protocol, metrics)
    stream = iter(samples)
    while batch := [*islice(stream, _SAMPLES_PER_BATCH)]:
        tally.add(batch)
    if not tally.samples:
        raise ValueError("no sample with a reference is left to score")
    return _summarize(tally)


def _summarize(tally: _Tally) -> Score:
    spec = tally.protocol.spec()
    kinds = Counter[tuple[bool, bool]]()
    for edit, count in tally.edits.items():
        kinds[edit.reference is None, edit.hypothesis is None] += count
    return Score(
        key=hashing.digest(spec),
        protocol=spec,
        samples=tally.samples,
        excluded=dict(sorted(tally.excluded.items())),
        metrics={
            name: MetricScore(above / below, above, below)
            for name, (above, below) in tally.sums.items()
            if below
        },
        batch_mean=_batch_mean(tally.ranked, tally.protocol.batch),
        substitutions=kinds[False, False],
        insertions=kinds[True, False],
        deletions=kinds[False, True],
        normalized=tally.normalized,
        dropped=dict(sorted(tally.dropped.items())),
        by_length=_by_length(tally.lengths),
        confusions=_confusions(tally.edits),
    )


def _batch_mean(counts: list[tuple[int, int]], size: int) -> float | None:
    values = [_ratio(counts[start : start + size]) for start in range(0, len(counts), size or 1)]
    return sum(values) / len(values) if values else None


def _ratio(counts: list[tuple[int, int]]) -> float:
    return sum(above for above, _ in counts) / sum(below for _, below in counts)


def _by_length(lengths: Counter[tuple[int, bool]]) -> list[LengthAccuracy]:
    return [
        LengthAccuracy(
            length, lengths[length, True] + lengths[length, False], lengths[length, True]
        )
        for length in sorted({length for length, _ in lengths})
    ]


def _confusions(edits: Counter[Edit]) -> list[Confusion]:
    kinds = [Confusion(e.reference or "", e.hypothesis or "", n) for e, n in edits.items()]
    # Equal counts are sorted by name, so that the order of the samples has no effect.
    ranked = sorted(kinds, key=lambda kind: (-kind.count, kind.reference, kind.hypothesis))
    return ranked[:MAX_CONFUSIONS]

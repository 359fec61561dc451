"""The value of a metric on pairs of texts, as a table of predictions sums it."""

from __future__ import annotations

from bench.evaluation import metrics, protocols
from bench.evaluation.metrics.readings import Readings, normalize_samples
from bench.evaluation.protocols import Protocol


def readings(protocol: str | Protocol, pairs) -> Readings:
    rules = protocols.find_protocol(protocol) if isinstance(protocol, str) else protocol
    references, hypotheses = ([pair[side] for pair in pairs] for side in (0, 1))
    return normalize_samples(rules, references, references, hypotheses).readings


def counts(metric: str, protocol: str | Protocol, pairs) -> list[tuple[int, int]]:
    counted = metrics.find_metric(metric).counts(readings(protocol, pairs))
    return list(zip(*(values.tolist() for values in counted), strict=True))


def value(metric: str, protocol: str | Protocol, pairs) -> float:
    counted = counts(metric, protocol, pairs)
    return sum(above for above, _ in counted) / sum(below for _, below in counted)

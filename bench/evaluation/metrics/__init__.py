"""Metrics: the counts of each sample, and the value that a corpus has from them."""

from __future__ import annotations

from bench.evaluation.metrics.character_accuracy import CharacterAccuracy
from bench.evaluation.metrics.character_error_rate import CharacterErrorRate
from bench.evaluation.metrics.mean_average_precision import MeanAveragePrecision
from bench.evaluation.metrics.metric import (
    Counts,
    Metric,
    all_metrics,
    find_metric,
    metrics_of,
    register_metric,
)
from bench.evaluation.metrics.normalized_edit_distance import OneMinusNormalizedEditDistance
from bench.evaluation.metrics.sequence_accuracy import SequenceAccuracy
from bench.evaluation.metrics.word_error_rate import WordErrorRate

__all__ = [
    "Counts",
    "Metric",
    "all_metrics",
    "find_metric",
    "metrics_of",
    "register_metric",
]

for _metric in (
    SequenceAccuracy(),
    CharacterErrorRate(),
    WordErrorRate(),
    OneMinusNormalizedEditDistance(),
    CharacterAccuracy(),
    MeanAveragePrecision(),
):
    register_metric(_metric)

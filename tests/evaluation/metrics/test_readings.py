"""Scored samples, and the values that metrics share."""

from __future__ import annotations

import pytest
from measured import readings

from bench.core.errors import BenchError
from bench.evaluation import protocols
from bench.evaluation.metrics import edit_alignment
from bench.evaluation.metrics.readings import normalize_samples


def test_excluded_samples_are_not_among_the_readings():
    samples = normalize_samples(
        protocols.find_protocol("str-36"), ["a", "b", "c"], ["It's", "?", ""], ["ITS", "x", "y"]
    )
    assert samples.references == ["its", "", ""]
    assert samples.reasons == [
        *(None, "nothing of the reference in the charset", "empty reference")
    ]
    assert len(samples.readings) == 1
    assert (samples.readings.ids, samples.readings.hypotheses) == (("a",), ("its",))


def test_without_scored_samples_there_are_no_readings():
    samples = normalize_samples(protocols.find_protocol("digits"), ["a"], ["x"], ["1"])
    assert len(samples.readings) == 0
    assert samples.readings.edits.tolist() == samples.readings.reference_lengths.tolist() == []


def test_edits_are_computed_once(monkeypatch):
    from bench.evaluation.metrics import readings as module

    calls = []
    distance = module.editdistance.eval

    class Counting:
        @staticmethod
        def eval(*texts):
            calls.append(texts)
            return distance(*texts)

    monkeypatch.setattr(module, "editdistance", Counting)
    shared = readings("str-36", [("abc", "abd"), ("same", "same")])
    from bench.evaluation import metrics

    for metric in metrics.metrics_of(protocols.find_protocol("str-36")):
        metric.counts(shared)
    assert calls == [("abc", "abd")]


def test_edits_of_an_alignment_are_not_computed_again(monkeypatch):
    shared = readings("htr-raw", [("kitten", "sitting")])
    assert [len(edits) for edits in shared.alignments] == [3]
    monkeypatch.delattr("bench.evaluation.metrics.readings.editdistance")
    assert shared.edits.tolist() == [3]


def test_a_sample_too_long_to_be_aligned_is_named():
    side = int(edit_alignment.MAX_CELLS**0.5) + 1
    texts = " ".join(["A", "B"] * side)[: 2 * side], " ".join(["C", "D"] * side)[: 2 * side]
    with pytest.raises(
        BenchError, match=r"^sample 'A B.*': a reference of .* too long to be aligned"
    ):
        _ = readings("gloss-phoenix14", [("A", "A"), texts]).edits

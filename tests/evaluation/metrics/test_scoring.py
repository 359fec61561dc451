"""Scores of texts."""

from __future__ import annotations

import tracemalloc

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from measured import value

from bench.core import hashing
from bench.core.errors import BenchError
from bench.evaluation import protocols
from bench.evaluation.metrics import edit_alignment, scoring
from bench.evaluation.metrics.scoring import Confusion, LengthAccuracy, Sample, score_samples

line = st.text("ab cé", max_size=10)


def score_pairs(name, *pairs):
    return score_samples(
        protocols.find_protocol(name), (Sample(str(n), *pair) for n, pair in enumerate(pairs))
    )


@settings(max_examples=80)
@given(st.lists(st.tuples(line, line), min_size=1, max_size=6))
def test_substitutions_insertions_and_deletions_equal_those_of_jiwer(pairs):
    pairs = [(r.strip(), h.strip()) for r, h in pairs if r.strip()]
    assume(pairs)
    expected = jiwer.process_characters(*map(list, zip(*pairs, strict=True)))
    result = score_pairs("htr-raw", *pairs)
    assert result.substitutions == expected.substitutions
    assert result.insertions == expected.insertions
    assert result.deletions == expected.deletions
    assert result.metrics["cer"].value == pytest.approx(expected.cer)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(protocols.PROTOCOLS)),
    st.lists(st.tuples(st.text(max_size=12) | line, st.text(max_size=12) | line), max_size=6),
)
def test_every_sample_is_scored_or_excluded(name, pairs):
    protocol = protocols.find_protocol(name)
    scored = [pair for pair in pairs if protocol.excludes(pair[0]) is None]
    if not scored:
        with pytest.raises(ValueError, match="no sample"):
            score_pairs(name, *pairs)
        return
    result = score_pairs(name, *pairs)
    assert result.samples == len(scored)
    assert result.samples + sum(result.excluded.values()) == len(pairs)
    assert sum(each.samples for each in result.by_length) == len(scored)
    correct = result.metrics["sequence-accuracy"].numerator
    assert sum(each.correct for each in result.by_length) == correct
    edits = result.substitutions + result.insertions + result.deletions
    assert sum(kind.count for kind in result.confusions) == edits
    assert [*result.metrics] == [
        metric for metric in protocol.metrics if metric != "map" and metric in result.metrics
    ]
    for metric, measured in result.metrics.items():
        assert measured.value == pytest.approx(value(metric, name, pairs))
    if "cer" in result.metrics:
        assert result.metrics["cer"].numerator == edits


def test_a_score_by_hand():
    result = score_pairs(
        "str-36", ("It's", "ITS"), ("seven", "sewen"), ("seven", "even"), ("?", "x")
    )
    assert result.samples == 3
    assert result.excluded == {"nothing of the reference in the charset": 1}
    assert result.normalized == 1
    assert result.dropped == {"'": 1, "?": 1}
    values = {name: measured.value for name, measured in result.metrics.items()}
    assert values == {
        "sequence-accuracy": 1 / 3,
        "cer": 2 / 13,
        "one-minus-ned": pytest.approx((1 + 4 / 5 + 4 / 5) / 3),
        "ccr": 7 / 13,
    }
    assert result.by_length == [LengthAccuracy(3, 1, 1), LengthAccuracy(5, 2, 0)]
    assert result.confusions == [Confusion("s", "", 1), Confusion("v", "w", 1)]
    assert (result.substitutions, result.insertions, result.deletions) == (1, 0, 1)


def test_the_worked_examples_of_the_docs():
    pairs = [("the cat sat", "the bat sat on"), ("a", "a")]
    assert {name: value(name, "htr-raw", pairs) for name in ("cer", "wer", "ccr")} == {
        "cer": 4 / 12,
        "wer": 2 / 4,
        "ccr": 11 / 12,
    }
    assert value("sequence-accuracy", "htr-raw", pairs) == 1 / 2
    similarity = value("one-minus-ned", "htr-raw", pairs)
    assert similarity == pytest.approx((1 - 4 / 14 + 1) / 2, abs=1e-6)


def test_characters_that_a_protocol_drops_are_counted():
    result = score_pairs("str-36", ("Straße", "strasse"), ("Café", "cafe"), ("Maß", "mab"))
    assert result.dropped == {"ß": 2}
    # The hypotheses are "strasse" for "strae", and "mab" for "ma".
    assert result.metrics["cer"].numerator == 3


def test_the_order_and_the_batches_of_samples_change_nothing(monkeypatch):
    pairs = [("ab", "ba"), ("abc", "abd"), ("x", ""), ("", "y"), ("abc", "abc")]
    expected = score_pairs("htr-raw", *pairs)
    assert score_pairs("htr-raw", *pairs[::-1]) == expected
    monkeypatch.setattr(scoring, "_SAMPLES_PER_BATCH", 2)
    assert score_pairs("htr-raw", *pairs) == expected


def test_a_score_has_its_protocol_and_the_hash_of_it():
    result = score_pairs("htr-iam", ("a", "a"))
    assert result.protocol == protocols.find_protocol("htr-iam").spec()
    assert result.key == hashing.digest(result.protocol)


def test_the_thesis_also_has_the_mean_of_its_batches():
    pairs = [("abcd", "abcd")] * 32 + [("ab", "xy")]
    result = score_pairs("htr-thesis", *pairs)
    assert result.metrics["cer"].value == 2 / (32 * 6 + 4)
    assert result.batch_mean == (0 / 192 + 2 / 4) / 2
    assert score_pairs("htr-raw", *pairs).batch_mean is None


def test_a_sample_too_long_to_be_aligned_is_named():
    side = int(edit_alignment.MAX_CELLS**0.5) + 1
    texts = " ".join(["A B"] * side), " ".join(["C D"] * side)
    with pytest.raises(BenchError, match=r"^sample '1': a reference of .* too long to be aligned"):
        score_pairs("gloss-phoenix14", ("A", "A"), texts)


@pytest.mark.slow
def test_a_large_corpus_is_not_kept_in_memory():
    samples = (Sample("", f"line {n}", "line 7") for n in range(20_000))
    tracemalloc.start()
    score_samples(protocols.find_protocol("htr-iam"), samples)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000

"""CER, compared with jiwer, torchmetrics and rapidfuzz."""

from __future__ import annotations

import warnings

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from measured import counts, value
from rapidfuzz.distance import Levenshtein

from bench.evaluation import protocols

with warnings.catch_warnings():
    # Modules that torchmetrics imports emit deprecation warnings.
    warnings.simplefilter("ignore")
    from torchmetrics.functional.text import char_error_rate

RAW = protocols.find_protocol("htr-raw")
line = st.text(max_size=30) | st.text("ab \té́", max_size=12) | st.text(" \t\n", max_size=3)
corpus = st.lists(st.tuples(line, line), min_size=1, max_size=6)


def scored(pairs):
    """Return the normalized pairs that have a reference."""
    scored_pairs = [RAW.pair(*texts) for texts in pairs if RAW.excludes(texts[0]) is None]
    assume(scored_pairs)
    return scored_pairs


@settings(max_examples=100)
@given(corpus)
def test_edits_equal_the_distance_of_rapidfuzz(pairs):
    pairs = scored(pairs)
    assert counts("cer", "htr-raw", pairs) == [
        (Levenshtein.distance(*texts), len(texts[0])) for texts in pairs
    ]


@settings(max_examples=100)
@given(corpus)
def test_cer_equals_that_of_torchmetrics(pairs):
    references, hypotheses = map(list, zip(*scored(pairs), strict=True))
    expected = float(char_error_rate(hypotheses, references))
    assert value("cer", "htr-raw", pairs) == pytest.approx(expected)


@settings(max_examples=100)
@given(corpus)
def test_cer_equals_that_of_jiwer_without_spaces_at_the_ends(pairs):
    # jiwer strips both texts.
    pairs = [(r, h) for r, h in scored(pairs) if r == r.strip() and h == h.strip()]
    assume(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    assert value("cer", "htr-raw", pairs) == pytest.approx(jiwer.cer(references, hypotheses))


def test_ten_thousand_characters_are_compared():
    reference, hypothesis = "a bc é" * 1_667, "ab c e" * 1_667
    distance = Levenshtein.distance(reference, hypothesis)
    assert counts("cer", "htr-raw", [(reference, hypothesis)]) == [(distance, len(reference))]


def test_long_samples_have_more_weight_than_short_ones():
    assert value("cer", "htr-raw", [("a", "b"), ("abcdefghi", "abcdefghi")]) == pytest.approx(0.1)


def test_cer_exceeds_one_with_many_insertions():
    assert value("cer", "digits", [("1", "2345")]) == 4


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        # The end of sequence is a letter of two bytes.
        ("ab", "ab", (0, 4)),
        ("ab", "ax", (1, 4)),
        # Text after the length of the reference is cut off, with the end of sequence.
        ("ab", "abc", (2, 4)),
        ("ab", "abcdefgh", (2, 4)),
        # The rest of a shorter hypothesis counts as deleted.
        ("abc", "a", (2, 5)),
        ("abc", "", (3, 5)),
        # The blank of the CTC model is deleted first.
        ("ab", "_a_b_", (0, 4)),
    ],
)
def test_the_thesis_counts_bytes_up_to_the_length_of_the_reference(reference, hypothesis, expected):
    assert counts("cer", "htr-thesis", [(reference, hypothesis)]) == [expected]

"""1 − NED, compared with rapidfuzz."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from measured import counts, value
from rapidfuzz.distance import Levenshtein

from bench.evaluation import protocols

RAW = protocols.find_protocol("htr-raw")
line = st.text(max_size=30) | st.text("abc", max_size=9)


@settings(max_examples=150)
@given(st.lists(st.tuples(line, line), min_size=1, max_size=6))
def test_the_value_is_the_mean_of_normalized_similarities(pairs):
    scored_pairs = [RAW.pair(*texts) for texts in pairs if RAW.excludes(texts[0]) is None]
    assume(scored_pairs)
    expected = [Levenshtein.normalized_similarity(*texts) for texts in scored_pairs]
    mean = sum(expected) / len(expected)
    assert value("one-minus-ned", "htr-raw", pairs) == pytest.approx(mean, abs=1e-6)
    counted = counts("one-minus-ned", "htr-raw", pairs)
    assert all(0 <= above <= below == 10**6 for above, below in counted)


def test_by_hand():
    pairs = [("house", "huse"), ("a", "a"), ("ab", "")]
    assert counts("one-minus-ned", "str-36", pairs) == [
        (800_000, 10**6),
        (10**6, 10**6),
        (0, 10**6),
    ]
    assert counts("one-minus-ned", "htr-raw", [("abc", "abd")]) == [(666_667, 10**6)]

"""WER of words and of glosses, compared with jiwer and torchmetrics."""

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
    from torchmetrics.functional.text import word_error_rate

RAW = protocols.find_protocol("htr-raw")
line = st.text(max_size=30) | st.text("ab \té́", max_size=12) | st.text(" \t\n", max_size=3)


@settings(max_examples=100)
@given(st.lists(st.tuples(line, line), min_size=1, max_size=6))
def test_wer_equals_that_of_torchmetrics_and_jiwer(pairs):
    # jiwer splits only at spaces, torchmetrics at all white space.
    pairs = [tuple(" ".join(RAW.normalize(text).split()) for text in pair) for pair in pairs]
    pairs = [(r, h) for r, h in pairs if r]
    assume(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    wer = value("wer", "htr-raw", pairs)
    assert wer == pytest.approx(float(word_error_rate(hypotheses, references)))
    assert wer == pytest.approx(jiwer.wer(references, hypotheses))


@settings(max_examples=60)
@given(st.lists(st.tuples(line, line), min_size=1, max_size=6))
def test_edits_in_words_equal_the_distance_of_rapidfuzz(pairs):
    scored_pairs = [RAW.pair(*texts) for texts in pairs if RAW.excludes(texts[0]) is None]
    assert counts("wer", "htr-raw", pairs) == [
        (Levenshtein.distance(r.split(), h.split()), len(r.split())) for r, h in scored_pairs
    ]


def test_marks_are_words_of_their_own_under_htr_iam():
    pairs = [("don't, no.", "don 't , no .")]
    assert counts("wer", "htr-iam", pairs) == [(0, 6)]
    assert counts("wer", "htr-raw", pairs) == [(5, 2)]


def test_glosses_are_words():
    pairs = [("HEUTE NORD WIND", "HEUTE WIND")]
    assert counts("wer", "gloss-phoenix14", pairs) == [(1, 3)]


def test_at_the_costs_of_sclite_more_edits_may_be_cheaper():
    pairs = [("A B C D", "C D X Y")]
    costly = protocols.declare_protocol("costly", {"unit": "gloss", "costs": [3, 3, 4]})
    plain = protocols.declare_protocol("plain", {"unit": "gloss"})
    # Two deletions and two insertions cost 12, four substitutions 16.
    assert counts("wer", costly, pairs) == [(4, 4)]
    assert counts("wer", plain, [("A B C", "B C A")]) == [(2, 3)]

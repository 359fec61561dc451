"""What is counted of a sample, held against independent tools and by hand."""

from __future__ import annotations

import warnings

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bench.evaluation import protocols
from bench.evaluation.metrics.count_errors import compare
from bench.evaluation.metrics.error_rates import Compared, ErrorRates, error_rates

with warnings.catch_warnings():
    # What torchmetrics imports warns of itself.
    warnings.simplefilter("ignore")
    from torchmetrics.functional.text import char_error_rate, word_error_rate

RAW = protocols.find("htr-raw")
line = st.text(max_size=30) | st.text("ab \té́", max_size=12) | st.text(" \t\n", max_size=3)
corpus = st.lists(st.tuples(line, line), min_size=1, max_size=6)


def counted(protocol, pairs) -> ErrorRates:
    return error_rates(compare(protocol, *protocol.pair(*texts)) for texts in pairs)


def scored(pairs):
    """Return pairs as htr-raw compares them, those without a reference left out."""
    found = [RAW.pair(*texts) for texts in pairs if RAW.excludes(texts[0]) is None]
    assume(found)
    return found


@settings(max_examples=150, deadline=None)
@given(line, line)
def test_edits_are_the_distance_of_rapidfuzz(reference, hypothesis):
    found = compare(RAW, reference, hypothesis)
    assert found.edits == Levenshtein.distance(reference, hypothesis)
    assert found.word_edits == Levenshtein.distance(reference.split(), hypothesis.split())
    assert (found.length, found.read) == (len(reference), len(hypothesis))
    assert found.words == len(reference.split())


@settings(max_examples=100, deadline=None)
@given(corpus)
def test_cer_is_that_of_torchmetrics(pairs):
    pairs = scored(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    found = counted(RAW, pairs)
    assert found.cer == pytest.approx(float(char_error_rate(hypotheses, references)))


@settings(max_examples=100, deadline=None)
@given(corpus)
def test_cer_is_that_of_jiwer_where_no_space_is_outside(pairs):
    # jiwer strips both texts.
    pairs = [(r, h) for r, h in scored(pairs) if r == r.strip() and h == h.strip()]
    assume(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    assert counted(RAW, pairs).cer == pytest.approx(jiwer.cer(references, hypotheses))


@settings(max_examples=100, deadline=None)
@given(corpus)
def test_wer_is_that_of_torchmetrics_and_jiwer(pairs):
    # jiwer makes words at spaces alone, and of two spaces one; torchmetrics at all white space.
    pairs = [(" ".join(r.split()), " ".join(h.split())) for r, h in scored(pairs)]
    pairs = [(r, h) for r, h in pairs if r]
    assume(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    found = counted(RAW, pairs)
    assert found.wer == pytest.approx(float(word_error_rate(hypotheses, references)))
    assert found.wer == pytest.approx(jiwer.wer(references, hypotheses))


@settings(max_examples=100, deadline=None)
@given(corpus)
def test_one_minus_ned_is_the_mean_of_normalised_similarities(pairs):
    pairs = scored(pairs)
    expected = [Levenshtein.normalized_similarity(*texts) for texts in pairs]
    assert counted(RAW, pairs).one_minus_ned == pytest.approx(sum(expected) / len(expected))


def test_ten_thousand_characters_are_compared():
    reference, hypothesis = "a bc é" * 1_667, "ab c e" * 1_667
    found = compare(RAW, reference, hypothesis)
    assert found.edits == Levenshtein.distance(reference, hypothesis)
    assert found.word_edits == Levenshtein.distance(reference.split(), hypothesis.split())


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("house", "house", Compared(0, 5, 5, 5)),
        ("house", "huse", Compared(1, 5, 4, 1)),
        ("house", "", Compared(5, 5, 0, 0)),
        ("cat", "cart", Compared(1, 3, 4, 2)),
        ("ab", "ba", Compared(2, 2, 2, 0)),
    ],
)
def test_places_and_edits_by_hand(reference, hypothesis, expected):
    assert compare(protocols.find("str-36"), reference, hypothesis) == expected


def test_the_worked_examples_of_the_docs():
    found = counted(RAW, [("the cat sat", "the bat sat on"), ("a", "a")])
    assert found.cer == 4 / 12
    assert found.wer == 2 / 4
    assert found.sequence_accuracy == 1 / 2
    assert found.one_minus_ned == pytest.approx((1 - 4 / 14 + 1) / 2)
    assert found.ccr == 11 / 12


def test_glosses_are_words_and_have_no_places():
    gloss = protocols.find("gloss-phoenix14")
    found = compare(gloss, "HEUTE NORD WIND", "HEUTE WIND")
    assert found == Compared(1, 3, None, None, 1, 3)
    rates = error_rates([found])
    assert (rates.cer, rates.wer) == (1 / 3, 1 / 3)
    assert (rates.ccr, rates.one_minus_ned) == (None, None)


def test_what_one_sample_lacks_the_corpus_lacks():
    rates = error_rates([Compared(0, 2, 2, 2, 0, 1), Compared(1, 2)])
    assert (rates.placed, rates.similarity, rates.words) == (None, None, None)


def test_words_of_no_text_are_no_rate():
    assert error_rates([Compared(1, 2, 3, 1, 0, 0)]).wer is None

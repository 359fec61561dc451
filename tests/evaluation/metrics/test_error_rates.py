from __future__ import annotations

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.metrics.error_rates import Edits, edits, error_rates

text = st.text("01ab-é", max_size=8)
tokens = st.lists(st.sampled_from(["a", "b", "ab", ""]), max_size=6)


def levenshtein(reference, hypothesis):
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, 1):
        last, row = row, [i]
        for j, given_ in enumerate(hypothesis, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (wanted != given_)))
    return row[-1]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.tuples(text, text), st.tuples(tokens, tokens)))
def test_edits_are_the_levenshtein_distance(pair):
    reference, hypothesis = pair
    assert edits(reference, hypothesis) == (levenshtein(reference, hypothesis), len(reference))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "count"),
    [
        ([-1, 5], [-2, 5], 1),
        ([(1, 2), (3,)], [(1, 2)], 1),
        ("ab", ["a", "b"], 0),
        ([None, "a", 1.5], [None, 1.5], 1),
    ],
)
def test_tokens_are_anything_that_has_a_hash(reference, hypothesis, count):
    assert edits(reference, hypothesis).edits == count


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(text.filter(bool), text), min_size=1, max_size=5))
def test_cer_is_that_of_jiwer(pairs):
    references, hypotheses = map(list, zip(*pairs, strict=True))
    found = error_rates(edits(*pair) for pair in pairs)
    assert found.cer == pytest.approx(jiwer.cer(references, hypotheses))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(text, text), min_size=1, max_size=5).filter(lambda p: any(r for r, _ in p))
)
def test_rates_are_sums_over_the_corpus(pairs):
    found = error_rates([edits(*pair) for pair in pairs])
    assert found.samples == len(pairs)
    assert found.edits == sum(levenshtein(*pair) for pair in pairs)
    assert found.length == sum(len(reference) for reference, _ in pairs)
    assert found.correct == sum(reference == hypothesis for reference, hypothesis in pairs)
    assert found.cer == pytest.approx(found.edits / found.length)
    assert found.sequence_accuracy == pytest.approx(found.correct / len(pairs))


def test_long_samples_weigh_more_than_short_ones():
    assert error_rates([Edits(1, 1), Edits(0, 9)]).cer == pytest.approx(0.1)


def test_cer_exceeds_one_when_much_is_inserted():
    assert error_rates([edits("1", "2345")]).cer == pytest.approx(4)


def test_accuracy_runs_from_nothing_to_all():
    assert error_rates([edits("12", "12"), edits("3", "3")]).sequence_accuracy == 1
    assert error_rates([edits("12", "13"), edits("3", "")]).sequence_accuracy == 0


@pytest.mark.parametrize("pairs", [[], [Edits(0, 0)], [Edits(3, 0), Edits(0, 0)]])
def test_no_reference_is_no_score(pairs):
    with pytest.raises(ValueError, match="no sample"):
        error_rates(pairs)


def test_what_was_excluded_is_kept():
    assert error_rates([Edits(0, 1)]).excluded == {}
    assert error_rates([Edits(0, 1)], {"empty reference": 2}).excluded == {"empty reference": 2}

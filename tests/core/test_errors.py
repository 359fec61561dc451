from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit, did_you_mean, nearest

words = st.lists(st.text("abcdef-", min_size=3, max_size=8), min_size=1, unique=True)


@pytest.mark.parametrize(
    ("word", "nearest"), [("digit", "digits"), ("radial", "radial-ctc"), ("ctcc", "ctc")]
)
def test_the_nearest_word_is_named(word, nearest):
    known = ["ctc", "digits", "radial-ctc"]
    assert did_you_mean(word, known) == f"; did you mean '{nearest}'?"


def test_what_is_near_nothing_is_answered_with_the_sorted_words():
    assert did_you_mean("xyz", iter(["seven", "digits"])) == "; there is digits, seven"


def test_how_like_a_word_has_to_be_is_chosen():
    assert nearest("seq-mnist", ["seq-digits"]) == "seq-digits"
    assert nearest("seq-mnist", ["seq-digits"], 0.7) is None
    assert nearest("ctc", ["ctc"], 1.0) == "ctc"


def test_where_nothing_is_known_nothing_is_said():
    assert did_you_mean("xyz", []) == ""


@given(words, st.data())
def test_a_known_word_is_nearest_to_itself(known, data):
    word = data.draw(st.sampled_from(known))
    assert did_you_mean(word, known) == f"; did you mean '{word}'?"


def test_an_error_is_one_of_usage_unless_it_says_otherwise():
    assert BenchError("no").code == Exit.USAGE == 2
    assert BenchError("no", Exit.NOTHING).code == 3
    assert str(BenchError("no")) == "no"

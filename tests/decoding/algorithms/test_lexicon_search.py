"""The choice of a lexicon's word against trying all words and all paths."""

from __future__ import annotations

import string
from functools import cache

import numpy as np
import pytest
import torch
from all_paths import alignments, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.decoding import lexicon
from bench.decoding.greedy import greedy
from bench.decoding.lexicon import Neighbours, closest, most_probable, nearby

words = st.lists(st.integers(1, 3), max_size=5).map(tuple)
lexica = st.lists(words, min_size=1, max_size=12)


def edits(one, other):
    """Return the edit distance by its recursive definition."""

    @cache
    def between(i, j):
        if not i or not j:
            return i + j
        swap = between(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(swap, between(i - 1, j) + 1, between(i, j - 1) + 1)

    return between(len(one), len(other))


@st.composite
def with_lexica(draw):
    """A batch of tiny samples of four classes, each with a lexicon of its own."""
    case = draw(cases())
    missing = 4 - case.logits.shape[2]
    logits = torch.nn.functional.pad(case.logits, (0, missing), value=-1)
    return case._replace(logits=logits), [draw(lexica) for _ in case.lengths]


def probable(case, n, word):
    return sum(alignments(case.sample(n)[0], word).values())


def agrees(decoded, case, n, candidates):
    """Assert that sample n reads as one of the candidates, and none of them is more probable."""
    word = tuple(decoded.labels[n].tolist())
    assert word in candidates
    best = max(probable(case, n, each) for each in candidates)
    assert probable(case, n, word) == pytest.approx(best, rel=1e-4)
    assert decoded.confidence[n] == pytest.approx(best, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(with_lexica(), st.sampled_from([1, 3, 1024]))
def test_the_most_probable_word_is_that_of_all_words_and_paths(drawn, at_once):
    case, given_words = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexicon, "AT_ONCE", at_once)
        decoded = most_probable(case.logits, case.lengths, given_words)
    for n, candidates in enumerate(given_words):
        agrees(decoded, case, n, candidates)


@settings(max_examples=60, deadline=None)
@given(with_lexica())
def test_the_closest_word_has_the_fewest_edits_and_then_the_largest_probability(drawn):
    case, given_words = drawn
    readings = greedy(case.logits, case.lengths).labels
    decoded = closest(case.logits, case.lengths, readings, given_words)
    for n, candidates in enumerate(given_words):
        distances = [edits(tuple(readings[n].tolist()), word) for word in candidates]
        near = [
            word
            for word, distance in zip(candidates, distances, strict=True)
            if distance == min(distances)
        ]
        agrees(decoded, case, n, near)


@settings(max_examples=60, deadline=None)
@given(with_lexica(), lexica, st.integers(0, 3))
def test_a_nearby_word_is_the_most_probable_within_so_many_edits(drawn, given_words, most):
    case, _ = drawn
    readings = greedy(case.logits, case.lengths).labels
    decoded = nearby(case.logits, case.lengths, readings, Neighbours(given_words), edits=most)
    for n, reading in enumerate(readings):
        distances = [edits(tuple(reading.tolist()), word) for word in given_words]
        reach = max(most, min(distances))
        near = [
            word for word, distance in zip(given_words, distances, strict=True) if distance <= reach
        ]
        agrees(decoded, case, n, near)


@settings(max_examples=200, deadline=None)
@given(lexica, words, st.integers(0, 4), st.sampled_from([1, 2, 64]))
def test_neighbours_are_found_each_once_and_in_order(given_words, reading, most, bins):
    reach = max(most, min(edits(reading, word) for word in given_words))
    expected = [word for word in given_words if edits(reading, word) <= reach]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexicon, "BINS", bins)
        assert Neighbours(given_words).around(reading, most) == expected


def showing(text, letters=string.ascii_lowercase):
    """Return logits (1, 2U, 27) that read as `text`, a blank behind each letter."""
    frames = [frame for letter in text for frame in (1 + letters.index(letter), 0)]
    return 4 * torch.nn.functional.one_hot(torch.tensor([frames]), 1 + len(letters)).float()


def spelled(text):
    return tuple(1 + string.ascii_lowercase.index(letter) for letter in text)


def reads(decoded):
    return "".join(string.ascii_lowercase[label - 1] for label in decoded.labels[0])


def test_frames_decide_between_words_that_are_equally_close():
    logits = showing("bat")
    # The last letter might as well be an r.
    logits[0, 4, spelled("r")[0]] = 3.5
    lengths, readings = torch.tensor([6]), [np.array(spelled("bat"))]
    offered = [spelled(word) for word in ("cat", "bag", "bar")]
    assert reads(closest(logits, lengths, readings, [offered])) == "bar"
    assert reads(most_probable(logits, lengths, [offered])) == "bar"


def test_between_equals_the_order_of_the_lexicon_decides():
    logits, lengths = torch.zeros(1, 6, 27), torch.tensor([6])
    for offered in (["cat", "dog"], ["dog", "cat"]):
        lexica_here = [[spelled(word) for word in offered]]
        assert reads(most_probable(logits, lengths, lexica_here)) == offered[0]
        nothing = greedy(logits, lengths).labels
        assert reads(closest(logits, lengths, nothing, lexica_here)) == offered[0]
        assert reads(nearby(logits, lengths, nothing, Neighbours(lexica_here[0]))) == offered[0]


def test_a_word_that_no_path_can_show_is_the_last_choice():
    logits, lengths = showing("aa")[:, :2], torch.tensor([2])
    decoded = most_probable(logits, lengths, [[spelled("aa"), spelled("zzz"), spelled("z")]])
    assert reads(decoded) == "z"
    first = most_probable(logits, lengths, [[spelled("aa"), spelled("zzz")]])
    assert reads(first) == "aa"
    assert first.confidence == 0


def test_an_empty_lexicon_is_refused():
    logits, lengths = torch.zeros(2, 3, 4), torch.tensor([3, 3])
    with pytest.raises(BenchError, match="lexicon 1 of 2 is empty"):
        most_probable(logits, lengths, [[(1,)], []])
    with pytest.raises(BenchError, match="lexicon 0 of 1 is empty"):
        Neighbours([])

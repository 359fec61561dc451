"""The choice of a lexicon's word against trying all words and all paths."""

from __future__ import annotations

import string
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from all_paths import alignments, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.algorithms import lexicon_search, word_trie_search
from bench.decoding.algorithms.best_path import decode_ctc
from bench.decoding.algorithms.lexicon_search import MostProbableWord, NearbyWord
from bench.decoding.algorithms.word_trie import word_trie

words = st.lists(st.integers(1, 3), max_size=5).map(tuple)
lexica = st.lists(words, min_size=1, max_size=12, unique=True)


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
def batches(draw):
    """A batch of tiny samples of four classes."""
    case = draw(cases())
    missing = 4 - case.logits.shape[2]
    return case._replace(logits=torch.nn.functional.pad(case.logits, (0, missing), value=-1))


def probability(case, n, word):
    return sum(alignments(case.sample(n)[0], word).values())


def agrees(decoded, case, n, candidates):
    """Assert that sample n reads as one of the candidates, and none of them is more probable."""
    word = tuple(decoded.labels[n].tolist())
    assert word in candidates
    best = max(probability(case, n, each) for each in candidates)
    assert probability(case, n, word) == pytest.approx(best, rel=1e-4)
    assert decoded.confidence[n] == pytest.approx(best, rel=1e-4)


@settings(max_examples=100)
@given(batches(), lexica, st.sampled_from([1, 3, 1024]), st.sampled_from([1, 2**22]))
def test_the_most_probable_word_is_that_of_all_words_and_paths(case, lexicon, per_call, elements):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexicon_search, "WORDS_PER_CALL", per_call)
        patch.setattr(word_trie_search, "MAX_ELEMENTS", elements)
        decoded = MostProbableWord(lexicon)(case.logits, case.lengths)
    for n in range(len(case.lengths)):
        agrees(decoded, case, n, lexicon)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 3.0, 30.0]))
def test_no_probable_word_is_lost_among_many(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(3, 9, 5, generator=generator)
    lengths = torch.tensor([9, 4, 1])
    rng = np.random.default_rng(seed)
    lexicon = list({tuple(rng.integers(1, 5, rng.integers(1, 9)).tolist()) for _ in range(300)})
    log_probs = logits.log_softmax(-1)
    every = lexicon_search.most_probable(log_probs, lengths, [lexicon] * 3)
    decoded = MostProbableWord(lexicon)(logits, lengths)
    np.testing.assert_array_equal(decoded.confidence, every.confidence)
    assert [each.tolist() for each in decoded.labels] == [each.tolist() for each in every.labels]


@settings(max_examples=100)
@given(batches(), lexica, st.integers(0, 3))
def test_a_nearby_word_is_the_most_probable_within_the_edits(case, lexicon, limit):
    decoded = NearbyWord(lexicon, limit)(case.logits, case.lengths)
    for n, reading in enumerate(decode_ctc(case.logits, case.lengths).labels):
        distances = [edits(tuple(reading.tolist()), word) for word in lexicon]
        reach = max(limit, min(distances))
        near = [word for word, each in zip(lexicon, distances, strict=True) if each <= reach]
        agrees(decoded, case, n, near)


@given(lexica)
def test_a_trie_has_every_prefix_once_and_ends_at_every_word(lexicon):
    levels = word_trie(lexicon)
    spelled = [{0: ()}]
    for level, following in pairwise(levels):
        spelled.append({})
        for node, prefix in spelled[-2].items():
            first = int(level.first_child[node])
            for child in range(first, first + int(level.children[node])):
                spelled[-1][child] = (*prefix, int(following.label[child]))
    assert sum(map(len, spelled)) == len(
        {word[:n] for word in lexicon for n in range(len(word) + 1)}
    )
    ends = {
        int(level.word[node]): prefix
        for level, prefixes in zip(levels, spelled, strict=True)
        for node, prefix in prefixes.items()
        if level.word[node] >= 0
    }
    assert ends == dict(enumerate(lexicon))
    assert not levels[-1].children.any()


def showing(text, letters=string.ascii_lowercase):
    """Return logits (1, 2U, 27) that read as `text`, a blank behind each letter."""
    frames = [frame for letter in text for frame in (1 + letters.index(letter), 0)]
    return 4 * torch.nn.functional.one_hot(torch.tensor([frames]), 1 + len(letters)).float()


def spelled(text):
    return tuple(1 + string.ascii_lowercase.index(letter) for letter in text)


def text(decoded):
    return "".join(string.ascii_lowercase[label - 1] for label in decoded.labels[0])


def test_frames_decide_between_words_that_are_equally_near():
    logits = showing("bat")
    # The last letter might as well be an r.
    logits[0, 4, spelled("r")[0]] = 3.5
    lexicon = [spelled(word) for word in ("cat", "bag", "bar")]
    assert text(NearbyWord(lexicon, 0)(logits, torch.tensor([6]))) == "bar"
    assert text(MostProbableWord(lexicon)(logits, torch.tensor([6]))) == "bar"


def test_between_equals_the_order_of_the_lexicon_decides():
    logits, lengths = torch.zeros(1, 6, 27), torch.tensor([6])
    for offered in (["cat", "dog"], ["dog", "cat"]):
        lexicon = [spelled(word) for word in offered]
        for search in (MostProbableWord(lexicon), NearbyWord(lexicon, 3), NearbyWord(lexicon, 0)):
            assert text(search(logits, lengths)) == offered[0]


def test_a_word_longer_than_the_output_is_the_last_choice():
    logits, lengths = showing("aa")[:, :2], torch.tensor([2])
    decoded = MostProbableWord([spelled("aa"), spelled("zzz"), spelled("z")])(logits, lengths)
    assert text(decoded) == "z"
    first = MostProbableWord([spelled("aa"), spelled("zzz")])(logits, lengths)
    assert text(first) == "aa"
    assert first.confidence == 0

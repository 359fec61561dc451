"""Search with a language model against all label sequences and all of their paths."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import product

import numpy as np
import pytest
import torch
from all_paths import collapsed, probability
from arpa_models import direct_log_probability, models, written
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.algorithms import ngram_search
from bench.decoding.algorithms.language_model import LanguageModel
from bench.decoding.algorithms.ngram_search import NGramSearch
from bench.decoding.algorithms.prefix_beam import prefix_beam_search

ALL = 4**5
"""More prefixes than four frames of four classes have."""
VOCABULARY = ("a", "b", "c")


@st.composite
def batches(draw, frames=4, classes=4):
    """Logits (N, T, C) and lengths (N,), 0 among them."""
    samples = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(0, frames), min_size=samples, max_size=samples))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.3, 1.0, 3.0, 30.0]))
    logits = scale * torch.randn(samples, frames, classes, generator=generator)
    return logits, torch.tensor(lengths)


def likelihoods(logits):
    """Return the probability of all that one sample (T, C) may read as."""
    probabilities = logits.double().softmax(-1).numpy()
    sums = defaultdict(float)
    for path in product(range(logits.shape[1]), repeat=logits.shape[0]):
        sums[collapsed(path)] += probability(path, probabilities)
    return sums


@settings(max_examples=60)
@given(batches(), models(VOCABULARY), st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([-1, 0, 2]))
def test_a_beam_wide_enough_finds_the_best_of_all_label_sequences(batch, model, weight, insertion):
    logits, lengths = batch
    search = NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), weight, insertion, ALL)
    decoded = search(logits, lengths)
    for n, length in enumerate(lengths.tolist()):
        sums = likelihoods(logits[n, :length])
        scores = {
            labels: math.log(value)
            + weight * direct_log_probability(model, [VOCABULARY[label - 1] for label in labels])
            + insertion * len(labels)
            for labels, value in sums.items()
            if value > 0
        }
        labels = tuple(decoded.labels[n].tolist())
        assert scores[labels] == pytest.approx(max(scores.values()), rel=1e-5, abs=1e-5)
        assert decoded.confidence[n] == pytest.approx(sums[labels], rel=1e-4)
        assert collapsed(decoded.path[n, :length].tolist()) == labels


@settings(max_examples=60)
@given(batches(frames=7), models(VOCABULARY), st.sampled_from([1, 2, 5, 4**7]))
def test_without_weight_it_is_plain_prefix_search(batch, model, width):
    search = NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), 0.0, 0.0, width)
    decoded, plain = search(*batch), prefix_beam_search(*batch, width=width)
    assert [each.tolist() for each in decoded.labels] == [each.tolist() for each in plain.labels]
    np.testing.assert_array_equal(decoded.confidence, plain.confidence)


@settings(max_examples=40)
@given(batches(frames=8), models(VOCABULARY), st.integers(1, 6))
def test_a_sample_is_decoded_alike_alone_and_in_a_padded_batch(batch, model, width):
    logits, lengths = batch
    search = NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), 0.7, 0.1, width)
    together = search(logits, lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngram_search, "MAX_ELEMENTS", 1)
        grouped = search(logits, lengths)
    for n, length in enumerate(lengths.tolist()):
        alone = search(logits[[n], : max(length, 1)], lengths[[n]])
        assert alone.labels[0].tolist() == together.labels[n].tolist()
        assert grouped.labels[n].tolist() == together.labels[n].tolist()


def test_the_language_model_decides_between_readings_that_the_frames_leave_open():
    model = written("\\1-grams:\n-1 a\n-1 b\n-1 c\n\n\\2-grams:\n-0.1 a c\n", 3, 1)
    logits = torch.zeros(1, 3, 4)
    logits[0, 0, 1] = logits[0, 1, 0] = logits[0, 2, 2] = 20
    logits[0, 2, 3] = 19.5
    for weight, expected in ((0.0, [1, 2]), (1.0, [1, 3])):
        search = NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), weight, 0.0, 10)
        assert search(logits, torch.tensor([3])).labels[0].tolist() == expected


def test_the_insertion_bonus_favors_longer_labels():
    model = written("\\1-grams:\n-1 a\n-1 b\n-1 c\n", 3)
    logits = torch.tensor([[[1.0, 0.5, 0.0, 0.0]] * 3])
    lengths = [
        len(
            NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), 0.0, bonus, ALL)(
                logits, torch.tensor([3])
            ).labels[0]
        )
        for bonus in (-9.0, 0.0, 9.0)
    ]
    assert lengths == [0, 1, 3]


def test_logits_that_are_not_numbers_read_as_nothing():
    model = written("\\1-grams:\n-1 a\n-1 b\n-1 c\n", 3)
    search = NGramSearch(LanguageModel(model.ngrams(), VOCABULARY), 0.5, 0.0, 4)
    decoded = search(torch.full((1, 3, 4), math.nan), torch.tensor([3]))
    assert decoded.labels[0].tolist() == []

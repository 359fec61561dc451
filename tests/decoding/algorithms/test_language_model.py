from __future__ import annotations

import numpy as np
import pytest
from arpa_models import direct_log_probability, models, written
from hypothesis import given
from hypothesis import strategies as st

from bench.decoding.algorithms import language_model
from bench.decoding.algorithms.language_model import LanguageModel

VOCABULARY = ("a", "b", "c")


@given(models(VOCABULARY), st.lists(st.integers(1, 3), max_size=6), st.sampled_from([1, 2**23]))
def test_a_text_scores_as_by_the_definition_of_backoff(model, labels, cached):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_model, "MAX_CACHED", cached)
        lm = LanguageModel(model.ngrams(), VOCABULARY)
        state, score = np.array([lm.start]), 0.0
        for label in labels:
            scores, states = lm.rows(state)
            score += scores[0, label]
            state = states[:, label]
        score += lm.end(state)[0]
    expected = direct_log_probability(model, [VOCABULARY[label - 1] for label in labels])
    assert score == pytest.approx(expected)


def test_the_space_has_a_token_and_missing_tokens_are_listed():
    model = written("\\1-grams:\n-1 a\n-2 |\n", 2)
    lm = LanguageModel(model.ngrams(), ("a", " ", "b"), space="|")
    assert (lm.missing, lm.has_unknown) == (("b",), False)
    scores, _ = lm.rows(np.array([lm.start]))
    np.testing.assert_allclose(scores[0] / np.log(10), [0, -1, -2, -99])
    assert LanguageModel(model.ngrams(), ("a", " ")).missing == (" ",)

"""Every loss trains a network, and where it draws, the same one again."""

from __future__ import annotations

import math

import pytest
import torch
from toy_training import RECIPE, finish, make_trainer

from bench.core import registry
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM

SLOW = pytest.mark.slow
MODELS = {
    "frames": CnnBiLSTM(width=2, hidden=4),
    "seq2seq": CnnAttention(width=2, hidden=4, max_length=8),
}


def _by_default(name):
    """Return the name of a loss, marked slow unless it draws or is the default."""
    return name if name in {"ctc", "ce", "cr-ctc", "conclr"} else pytest.param(name, marks=SLOW)


@pytest.mark.parametrize("name", map(_by_default, registry.builtin("loss")))
def test_two_trainings_of_it_are_finite_and_the_same(name):
    loss = registry.builtin("loss")[name]()
    one, other = (finish(make_trainer(MODELS[loss.accepts], loss, RECIPE)) for _ in range(2))
    assert one.curve == other.curve
    assert all(torch.equal(value, other.weights[key]) for key, value in one.weights.items())
    assert all(math.isfinite(epoch.loss) for epoch in one.curve)
    assert [epoch.infeasible for epoch in one.curve] == [0, 0]

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.core.types import Targets
from bench.nn.feedback import EOS, Greedy, TeacherForcing, scored_steps, with_eos


def make_targets(*targets, room=9):
    width = max(map(len, targets))
    return Targets(
        torch.full((len(targets),), room),
        torch.tensor([[*target, *[7] * (width - len(target))] for target in targets]),
        torch.tensor([len(target) for target in targets]),
    )


def one_hot(*symbols, classes=5):
    return nn.functional.one_hot(torch.tensor(symbols), classes).float()


def test_a_target_is_followed_by_its_end_whatever_its_padding_holds():
    targets = make_targets([1, 2], [3], [])
    assert with_eos(targets, 3).tolist() == [[1, 2, EOS], [3, EOS, EOS], [EOS] * 3]
    assert with_eos(targets, 1).tolist() == [[1], [3], [EOS]]


def test_what_does_not_fit_is_not_scored():
    targets = make_targets([1, 2, 3], [1], room=3)
    assert scored_steps(targets, 4).tolist() == [[False] * 4, [True, True, False, False]]


def test_greedy_goes_on_from_the_best_until_all_have_ended():
    feedback = Greedy(nn.Identity())
    assert feedback(one_hot(3, EOS)).tolist() == [3, EOS]
    assert feedback(one_hot(2, 4)).tolist() == [2, 4]
    assert feedback(one_hot(EOS, 1)) is None
    assert feedback.logits().shape == (2, 3, 5)
    assert feedback.steps == 3


def followed(rate, seed=0):
    """Return what a teacher says of two targets to a network that always reads 4."""
    torch.manual_seed(seed)
    feedback = TeacherForcing(nn.Identity(), make_targets([1, 2, 3], [2]), rate)
    said = []
    while (symbols := feedback(one_hot(4, 4))) is not None:
        said.append(symbols.tolist())
    return said


def test_teacher_forcing_gives_the_target_and_ends_with_the_longest():
    assert followed(1.0) == [[1, 2], [2, EOS], [3, EOS]]
    assert followed(0.0) == [[4, 4]] * 3


@given(st.integers(0, 2**32))
def test_teacher_forcing_draws_each_step_for_the_whole_batch(seed):
    for step, taught in zip(followed(0.5, seed), followed(1.0), strict=True):
        assert step in ([4, 4], taught)
    assert followed(0.5, seed) == followed(0.5, seed)


def test_the_rate_of_teacher_forcing_is_the_share_of_target_steps():
    steps = [step for seed in range(400) for step in followed(0.8, seed)]
    assert sum(step != [4, 4] for step in steps) / len(steps) == pytest.approx(0.8, abs=0.04)

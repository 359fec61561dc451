from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.core.types import Supervision
from bench.nn.feedback import END, Greedy, Teacher, ended, scored


def truth(*targets, room=9):
    width = max(map(len, targets))
    return Supervision(
        torch.full((len(targets),), room),
        torch.tensor([[*target, *[7] * (width - len(target))] for target in targets]),
        torch.tensor([len(target) for target in targets]),
    )


def one_hot(*symbols, classes=5):
    return nn.functional.one_hot(torch.tensor(symbols), classes).float()


def test_a_target_is_followed_by_its_end_whatever_its_padding_holds():
    targets = truth([1, 2], [3], [])
    assert ended(targets, 3).tolist() == [[1, 2, END], [3, END, END], [END] * 3]
    assert ended(targets, 1).tolist() == [[1], [3], [END]]


def test_what_does_not_fit_is_not_scored():
    supervision = truth([1, 2, 3], [1], room=3)
    assert scored(supervision, 4).tolist() == [[False] * 4, [True, True, False, False]]


def test_greedy_goes_on_from_the_best_until_all_have_ended():
    feed = Greedy(nn.Identity())
    assert feed(one_hot(3, END)).tolist() == [3, END]
    assert feed(one_hot(2, 4)).tolist() == [2, 4]
    assert feed(one_hot(END, 1)) is None
    assert feed.logits().shape == (2, 3, 5)
    assert feed.steps == 3


def followed(rate, seed=0):
    """Return what a teacher says of two targets to a network that always reads 4."""
    torch.manual_seed(seed)
    feed = Teacher(nn.Identity(), truth([1, 2, 3], [2]), rate)
    said = []
    while (symbols := feed(one_hot(4, 4))) is not None:
        said.append(symbols.tolist())
    return said


def test_a_teacher_gives_the_target_and_ends_with_the_longest():
    assert followed(1.0) == [[1, 2], [2, END], [3, END]]
    assert followed(0.0) == [[4, 4]] * 3


@given(st.integers(0, 2**32))
def test_a_teacher_draws_each_step_for_the_whole_batch(seed):
    for step, taught in zip(followed(0.5, seed), followed(1.0), strict=True):
        assert step in ([4, 4], taught)
    assert followed(0.5, seed) == followed(0.5, seed)


def test_the_teacher_s_rate_is_the_share_of_steps_it_gives():
    steps = [step for seed in range(400) for step in followed(0.8, seed)]
    assert sum(step != [4, 4] for step in steps) / len(steps) == pytest.approx(0.8, abs=0.04)

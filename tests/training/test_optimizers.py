from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from bench.config.recipe import Recipe
from bench.training import optimizers


def made(recipe, steps):
    """Return a weight, its optimizer and the schedule of epochs of so many steps."""
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = optimizers.optimizer(recipe, [weight])
    return weight, optimizer, optimizers.schedule(recipe, optimizer, steps)


def rates(recipe, steps):
    """Return the learning rate of every step."""
    weight, optimizer, schedule = made(recipe, steps)
    found = []
    for _ in range(recipe.epochs * steps):
        found.append(optimizer.param_groups[0]["lr"])
        weight.grad = torch.zeros(3)
        optimizer.step()
        schedule.step()
    return found


@settings(max_examples=40)
@given(
    steps=st.integers(1, 7),
    milestones=st.sets(st.integers(1, 5)).map(sorted),
    warmup=st.floats(0, 6),
)
def test_a_rate_rises_over_the_warm_up_and_falls_after_each_milestone(steps, milestones, warmup):
    keys = {"schedule": "multi-step", "milestones": tuple(milestones), "decay": 0.5}
    recipe = Recipe(5, 1, 0.2, warmup=warmup, **(keys if milestones else {}))
    rising = round(warmup * steps)
    for step, rate in enumerate(rates(recipe, steps)):
        expected = 0.2 * min(1, (step + 1) / rising if rising else 1)
        for milestone in milestones:
            expected *= 0.5 if step // steps >= milestone else 1
        assert rate == pytest.approx(expected)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "adadelta"])
def test_one_cycle_rises_to_its_peak_and_falls_for_every_optimiser(optimizer):
    found = rates(Recipe(4, 1, 0.2, optimizer=optimizer, schedule="one-cycle"), 5)
    peak = found.index(max(found))
    assert max(found) == pytest.approx(0.2)
    assert found[: peak + 1] == sorted(found[: peak + 1])
    assert found[peak:] == sorted(found[peak:], reverse=True)
    assert found[-1] < found[0]


@settings(max_examples=20)
@given(steps=st.integers(1, 7), warmup=st.floats(0, 6))
def test_cosine_is_that_of_torch_below_its_warm_up(steps, warmup):
    found = rates(Recipe(5, 1, 0.2, schedule="cosine", warmup=warmup), steps)
    plain = Adam([torch.nn.Parameter(torch.ones(3))], lr=0.2)
    reference = CosineAnnealingLR(plain, 5 * steps)
    rising = max(round(warmup * steps), 1)
    for step, rate in enumerate(found):
        (expected,) = reference.get_last_lr()
        assert rate == pytest.approx(expected * min((step + 1) / rising, 1), abs=1e-9)
        plain.step()
        reference.step()


def moved(optimizer, weight, gradients):
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach()


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.999), (0.0, 0.9)])
def test_adam_moves_by_the_betas_of_the_recipe(betas):
    gradients = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    weight, optimizer, _ = made(Recipe(1, 1, 0.1, betas=betas), 1)
    other = torch.nn.Parameter(torch.ones(3))
    expected = moved(Adam([other], lr=0.1, betas=betas), other, gradients)
    torch.testing.assert_close(moved(optimizer, weight, gradients), expected)


def test_sgd_goes_on_by_its_momentum():
    weight, optimizer, _ = made(Recipe(1, 1, 0.1, optimizer="sgd", momentum=0.5), 1)
    found = moved(optimizer, weight, [torch.ones(3), torch.zeros(3), torch.zeros(3)])
    torch.testing.assert_close(found, torch.full((3,), 1 - 0.1 * (1 + 0.5 + 0.25)))

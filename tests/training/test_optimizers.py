from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from bench.config.recipe import Recipe
from bench.training import optimizers
from bench.training.timetable import Timetable


def recipe_of(**values):
    return Recipe(**{"batch_size": 1, "learning_rate": 0.2, **values})


def made(recipe):
    """Return a weight and its optimizer."""
    weight = torch.nn.Parameter(torch.ones(3))
    return weight, optimizers.make_optimizer(recipe, [weight])


def rates(recipe, steps_per_epoch):
    """Return the learning rate of every step, asked for in no order."""
    timetable = Timetable.of_recipe(recipe, steps_per_epoch)
    steps = range(timetable.steps)
    backward = [optimizers.learning_rate(recipe, timetable, step) for step in reversed(steps)]
    return backward[::-1]


@settings(max_examples=40)
@given(
    steps=st.integers(1, 7),
    milestones=st.sets(st.integers(1, 5)).map(sorted),
    warmup=st.floats(0, 6),
    unit=st.sampled_from(["epochs", "steps"]),
)
def test_a_rate_rises_over_the_warm_up_and_falls_after_each_milestone(
    steps, milestones, warmup, unit
):
    keys = {"schedule": "multi-step", "milestones": tuple(milestones), "decay": 0.5}
    length = {"epochs": 5} if unit == "epochs" else {"steps": 5 * steps}
    recipe = Recipe(
        batch_size=1, learning_rate=0.2, warmup=warmup, **length, **(keys if milestones else {})
    )
    counted = steps if unit == "epochs" else 1
    rising = round(warmup * counted)
    for step, rate in enumerate(rates(recipe, steps)):
        expected = 0.2 * min(1, (step + 1) / rising if rising else 1)
        for milestone in milestones:
            expected *= 0.5 if step // counted >= milestone else 1
        assert rate == pytest.approx(expected)


@settings(max_examples=30)
@given(
    steps=st.integers(1, 60), peak=st.floats(1e-4, 1), optimizer=st.sampled_from(["sgd", "adam"])
)
def test_one_cycle_is_that_of_torch_to_the_bit(steps, peak, optimizer):
    recipe = Recipe(
        batch_size=1, learning_rate=peak, steps=steps, optimizer=optimizer, schedule="one-cycle"
    )
    timetable = Timetable.of_recipe(recipe, 7)
    _, ours = made(recipe)
    kind = SGD if optimizer == "sgd" else Adam
    theirs = kind([torch.nn.Parameter(torch.ones(3))], lr=peak)
    schedule = OneCycleLR(theirs, peak, total_steps=steps)
    momentum = "momentum" if optimizer == "sgd" else "betas"
    for step in range(steps):
        assert optimizers.set_rates(ours, recipe, timetable, step) == schedule.get_last_lr()[0]
        (one,), (other,) = ours.param_groups, theirs.param_groups
        assert (one["lr"], one[momentum]) == (other["lr"], other[momentum])
        theirs.step()
        if step < steps - 1:
            schedule.step()


def test_one_cycle_leaves_an_optimizer_without_momentum_alone():
    recipe = Recipe(
        batch_size=1, learning_rate=0.2, steps=5, optimizer="adadelta", schedule="one-cycle"
    )
    _, optimizer = made(recipe)
    before = {*optimizer.param_groups[0]}
    optimizers.set_rates(optimizer, recipe, Timetable.of_recipe(recipe, 1), 3)
    assert {*optimizer.param_groups[0]} == before


@settings(max_examples=20)
@given(steps=st.integers(1, 7), warmup=st.floats(0, 6))
def test_cosine_is_that_of_torch_below_its_warm_up(steps, warmup):
    found = rates(recipe_of(epochs=5, schedule="cosine", warmup=warmup), steps)
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
    weight, optimizer = made(recipe_of(learning_rate=0.1, epochs=1, betas=betas))
    other = torch.nn.Parameter(torch.ones(3))
    expected = moved(Adam([other], lr=0.1, betas=betas), other, gradients)
    torch.testing.assert_close(moved(optimizer, weight, gradients), expected)


def test_sgd_goes_on_by_its_momentum():
    weight, optimizer = made(recipe_of(learning_rate=0.1, epochs=1, optimizer="sgd", momentum=0.5))
    found = moved(optimizer, weight, [torch.ones(3), torch.zeros(3), torch.zeros(3)])
    torch.testing.assert_close(found, torch.full((3,), 1 - 0.1 * (1 + 0.5 + 0.25)))

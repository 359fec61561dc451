"""The optimizer of a recipe, and the schedule of its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch.optim import SGD, Adadelta, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

if TYPE_CHECKING:
    from torch import Tensor

    from bench.config.recipe import Recipe


def optimizer(recipe: Recipe, weights: Iterable[Tensor]) -> Optimizer:
    """Return the recipe's optimizer of `weights`."""
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    match recipe.optimizer:
        case "adam":
            return Adam(weights, betas=recipe.betas, fused=True, **options)
        case "adamw":
            return AdamW(weights, betas=recipe.betas, fused=True, **options)
        case "sgd":
            return SGD(weights, momentum=recipe.momentum, fused=True, **options)
        case "adadelta":
            return Adadelta(weights, **options)


def schedule(recipe: Recipe, optimizer: Optimizer, steps: int) -> LRScheduler:
    """Return the schedule of the learning rate, stepped after each update.

    Args:
        recipe: The schedule and its parameters.
        optimizer: The optimizer whose learning rate is set.
        steps: Updates per epoch.
    """
    if recipe.schedule == "one-cycle":
        return OneCycleLR(
            optimizer,
            recipe.learning_rate,
            total_steps=recipe.epochs * steps,
            cycle_momentum=recipe.optimizer != "adadelta",  # which has none
        )
    warmup, all_steps = max(round(recipe.warmup * steps), 1), recipe.epochs * steps

    def factor(step: int) -> float:
        warmed = min((step + 1) / warmup, 1.0)
        if recipe.schedule == "cosine":
            return warmed * (1 + math.cos(math.pi * step / all_steps)) / 2
        passed = sum(epoch * steps <= step for epoch in recipe.milestones)
        return warmed * recipe.decay**passed

    return LambdaLR(optimizer, factor)

"""The optimizer of a recipe, and the schedule of its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch.optim import SGD, Adadelta, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

if TYPE_CHECKING:
    from torch import Tensor

    from bench.config.suite import Recipe


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


def schedule(recipe: Recipe, moved: Optimizer, steps: int) -> LRScheduler:
    """Return what sets the learning rate after each step; an epoch has `steps`."""
    if recipe.schedule == "one-cycle":
        return OneCycleLR(
            moved,
            recipe.learning_rate,
            total_steps=recipe.epochs * steps,
            cycle_momentum=recipe.optimizer != "adadelta",  # which has none
        )
    rising, all_steps = max(round(recipe.warmup * steps), 1), recipe.epochs * steps

    def factor(step: int) -> float:
        risen = min((step + 1) / rising, 1.0)
        if recipe.schedule == "cosine":
            return risen * (1 + math.cos(math.pi * step / all_steps)) / 2
        passed = sum(epoch * steps <= step for epoch in recipe.milestones)
        return risen * recipe.decay**passed

    return LambdaLR(moved, factor)

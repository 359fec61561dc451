"""The optimizer of a recipe, and its learning rate as a function of the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import SGD, Adadelta, Adam, AdamW, Optimizer

if TYPE_CHECKING:
    from bench.config.recipe import Recipe
    from bench.training.timetable import Timetable

_RISING = 0.3
"""The share of its steps over which `one-cycle` rises."""
_START, _END = 25.0, 1e4
"""`one-cycle` starts at 1/25 of its peak and ends at 1/10,000 of its start."""
_MOMENTA = 0.95, 0.85
"""The momentum of `one-cycle` at its start and end, and at its peak."""


def make_optimizer(recipe: Recipe, weights: Iterable[Tensor]) -> Optimizer:
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


def set_rates(optimizer: Optimizer, recipe: Recipe, timetable: Timetable, step: int) -> float:
    """Set learning rate and momentum of a recipe for the step that follows `step` steps.

    Returns:
        The learning rate.
    """
    rate = learning_rate(recipe, timetable, step)
    for group in optimizer.param_groups:
        group["lr"] = rate
        if recipe.schedule == "one-cycle":
            _set_momentum(group, _one_cycle(timetable.steps, step, *_MOMENTA, _MOMENTA[0]))
    return rate


def restore(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Restore the state of an optimizer of the same parameters.

    Raises:
        Exception: It belongs to another optimizer or other parameters; torch does not document
            which exceptions it raises.
    """
    kinds = _kinds(optimizer)
    optimizer.load_state_dict(state)
    if _kinds(optimizer) != kinds:
        raise ValueError("the options of the optimizer are not those of this training")
    for parameter, held in optimizer.state.items():
        for value in held.values():
            if isinstance(value, Tensor) and value.dim() and value.shape != parameter.shape:
                raise ValueError("the state of the optimizer is not of this network")


def _kinds(optimizer: Optimizer) -> list[dict[str, type]]:
    """Return the types of the options of each group of parameters."""
    return [
        {name: type(value) for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]


def learning_rate(recipe: Recipe, timetable: Timetable, step: int) -> float:
    """Return the learning rate of the step that follows `step` steps.

    Source:
        `one-cycle` is `torch.optim.lr_scheduler.OneCycleLR` with its defaults (Smith and Topin,
        "Super-Convergence", 2019), `cosine` is `CosineAnnealingLR` (Loshchilov and Hutter, "SGDR",
        ICLR 2017, eq. 5 without restarts), `multi-step` is `MultiStepLR`.
    """
    peak = recipe.learning_rate
    if recipe.schedule == "one-cycle":
        start = peak / _START
        return _one_cycle(timetable.steps, step, start, peak, start / _END)
    unit = timetable.steps_per_epoch if recipe.epochs else 1
    warmed = min((step + 1) / max(round(recipe.warmup * unit), 1), 1.0)
    if recipe.schedule == "cosine":
        return peak * (warmed * (1 + math.cos(math.pi * step / timetable.steps)) / 2)
    passed = sum(milestone * unit <= step for milestone in recipe.milestones)
    return peak * (warmed * recipe.decay**passed)


def _one_cycle(steps: int, step: int, start: float, peak: float, end: float) -> float:
    """Return a value that rises from `start` to `peak` and falls to `end` along half cosines."""
    top, last = _RISING * steps - 1, steps - 1
    if step <= top:
        return _along_cosine(start, peak, step / top)
    return _along_cosine(peak, end, (step - top) / (last - top))


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (math.cos(math.pi * share) + 1)


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Set β₁ or the momentum, of an optimizer that has one."""
    if "betas" in group:
        group["betas"] = momentum, *group["betas"][1:]
    elif "momentum" in group:
        group["momentum"] = momentum

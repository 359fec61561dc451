"""Derivatives in double precision, compared with central differences."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.testing.calling_line import calling_line
from bench.testing.loss_batches import LossBatch

_STEP = 1e-6
_DIRECTIONS = 4


class DetachedError(Exception):
    """A part of an objective is a constant for the gradient."""


class _InDouble(TorchFunctionMode):
    """Turns conversions to float32 into conversions to float64; refuses constants of a gradient."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 (torch's signature)
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in {"detach", "detach_"} and args[0].requires_grad:
            raise DetachedError(f"it calls detach() ({calling_line()})")
        if name == "_set_grad_enabled" and not args[0] and torch.is_grad_enabled():
            raise DetachedError(f"it disables gradients ({calling_line()})")
        if name == "float":
            return args[0].double()
        args = tuple(torch.float64 if each is torch.float32 else each for each in args)
        if kwargs.get("dtype") is torch.float32:
            kwargs = kwargs | {"dtype": torch.float64}
        return func(*args, **kwargs)


def derivative_difference(objective: Callable[[LossBatch], Tensor], batch: LossBatch) -> float:
    """Return by how much directional derivatives differ from central differences, relatively.

    Raises:
        DetachedError: A part of the objective is a constant for the gradient.
    """
    head = deepcopy(batch.head).double()
    double = LossBatch(head, batch.features, batch.targets, batch.views)
    point = double.of_features(batch.features.double())

    def value(features: Tensor) -> Tensor:
        torch.manual_seed(0)
        return objective(double.of_features(features))

    with _InDouble():
        torch.manual_seed(0)
        at_point = objective(point)
    (gradient,) = torch.autograd.grad(at_point, point.features)
    generator = torch.Generator().manual_seed(0)
    differences = []
    for _ in range(_DIRECTIONS):
        direction = torch.randn(gradient.shape, generator=generator, dtype=torch.float64)
        ahead, behind = point.features.detach() + _STEP * direction, point.features.detach()
        with torch.no_grad(), _InDouble():
            central = (value(ahead) - value(behind - _STEP * direction)) / (2 * _STEP)
        slope = float((gradient * direction).sum())
        differences.append(abs(float(central) - slope) / max(abs(slope), 1e-3))
    return max(differences)

"""How long a step takes, for the notes of checks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from bench.core.types import FeatureDims, Features, Targets

if TYPE_CHECKING:
    from bench.core.components import Loss

_REPEATS = 3
_SAMPLES, _FRAMES, _LABELS, _DIMS, _CLASSES = 32, 64, 12, 64, 80


def milliseconds(call: Callable[[], object]) -> float:
    """Return the shortest time that a call took, after one call that is not timed."""
    call()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def loss_milliseconds(loss: Loss) -> float:
    """Return how long the objective and its gradients take for a batch of usual size."""
    torch.manual_seed(0)
    head = loss.head(FeatureDims(_DIMS, _DIMS), _CLASSES)
    # Six rows divide into the augmented views of every loss.
    rows = 6 * (_SAMPLES // 6 + 1)
    features = torch.randn(rows, _FRAMES, _DIMS).requires_grad_()
    targets = Targets(
        torch.full((rows,), _FRAMES),
        torch.randint(1, _CLASSES, (rows, _LABELS)),
        torch.full((rows,), _LABELS),
    )

    def step() -> None:
        value = loss.objective(head, Features(features, features), targets)
        torch.autograd.grad(value, features)

    return milliseconds(step)

"""Comparisons of tensors for the messages of checks."""

from __future__ import annotations

import torch
from torch import Tensor


def are_close(first: Tensor, second: Tensor, tolerance: float = 1e-4) -> bool:
    """Return whether two tensors agree, relative to the largest absolute value of the second."""
    if first.shape != second.shape:
        return False
    return relative_difference(first, second) <= tolerance


def relative_difference(first: Tensor, second: Tensor) -> float:
    """Return the largest difference of two tensors, relative to the largest absolute value.

    The relation is to 1e-3 at least, so that zeros compare with rounding errors.
    """
    if not first.numel():
        return 0.0
    first, second = first.detach().double(), second.detach().double()
    if not (first.isfinite().all() and second.isfinite().all()):
        return 0.0 if torch.equal(first, second) else float("inf")
    scale = max(float(second.abs().max()), 1e-3)
    return float((first - second).abs().max()) / scale

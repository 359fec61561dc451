"""Pixels of bytes to values of the range that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from bench.core.model_input import Normalization

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
"""Those of ImageNet, per channel, as torchvision's weights expect them."""


def normalize_bytes(pixels: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Return pixels (…, channels, H, W) of 0 to 255 as float32 values of a range."""
    values = pixels.float()
    if normalization == "signed":
        return values.div_(127.5).sub_(1)
    return normalize_unit(values.div_(255), normalization)


def normalize_unit(values: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Return values (…, channels, H, W) in [0, 1] in another range, in place."""
    if normalization == "signed":
        return values.mul_(2).sub_(1)
    if normalization == "imagenet":
        mean, std = _imagenet()
        return values.sub_(mean).div_(std)
    return values


def denormalize(values: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Return values (…, channels, H, W) of a range in [0, 1], as a new tensor."""
    if normalization == "signed":
        return (values + 1) / 2
    if normalization == "imagenet":
        mean, std = _imagenet()
        return values * std + mean
    return values.clone()


def _imagenet() -> tuple[torch.Tensor, torch.Tensor]:
    """Return ImageNet's mean and standard deviation (3, 1, 1)."""
    return torch.tensor(_MEAN).view(3, 1, 1), torch.tensor(_STD).view(3, 1, 1)

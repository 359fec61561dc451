"""Normalization of uint8 pixels to the range of values that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from bench.core.model_input import Normalization


class DeviceConstant:
    """A small tensor that is copied once to each device that computes with it.

    Args:
        values: The tensor, on the CPU.
    """

    def __init__(self, values: torch.Tensor) -> None:
        self._values = values
        self._copies: dict[tuple[torch.device, int], torch.Tensor] = {}

    def on(self, device: torch.device) -> torch.Tensor:
        """Return the tensor on `device`, without waiting for its copy."""
        if device.type != "cuda":
            return self._values.to(device)
        # One copy per stream: another stream might read before the copy is complete.
        key = device, torch.cuda.current_stream(device).cuda_stream
        if key not in self._copies:
            self._copies[key] = self._values.pin_memory().to(device, non_blocking=True)
        return self._copies[key]


_MEAN = DeviceConstant(torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1))
_STD = DeviceConstant(torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1))
"""Mean and standard deviation of ImageNet (3, 1, 1), as required by torchvision's weights."""


def normalize_bytes(pixels: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Return pixels (…, channels, H, W) from 0 to 255 as normalized float32 values."""
    values = pixels.float()
    if normalization == "signed":
        return values.div_(127.5).sub_(1)
    return normalize_unit(values.div_(255), normalization)


def normalize_unit(values: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Normalize values (…, channels, H, W) in [0, 1] in place."""
    if normalization == "signed":
        return values.mul_(2).sub_(1)
    if normalization == "imagenet":
        return values.sub_(_MEAN.on(values.device)).div_(_STD.on(values.device))
    return values


def denormalize(values: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Return normalized values (…, channels, H, W) in [0, 1], as a new tensor."""
    if normalization == "signed":
        return (values + 1) / 2
    if normalization == "imagenet":
        return values * _STD.on(values.device) + _MEAN.on(values.device)
    return values.clone()

"""Normalization without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from torch.autograd.function import BackwardCFunction

EPSILON = 1e-5
_SMALLEST = 1e-30


class InstanceNorm(nn.Module):
    """(x - mean) / (std + 1e-5) of each sample and channel over its pixels, without parameters.

    The standard deviation is unbiased, and 1e-5 is added to it, not to the variance. Computed in
    float32, also under autocast.

    Source: github.com/resolator/diploma-master.
    """

    def forward(self, images: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return `images` (N, C, H, W) normalized over all columns, or over the first `lengths`.

        Columns after `lengths` (N,) are zero.
        """
        height, width = images.shape[2:]
        inside: Tensor | None = None
        pixels = images.new_full((), height * width, dtype=torch.long)
        if lengths is not None:
            inside = valid_frames(lengths, width, images.device)[:, None, None]
            pixels = height * inside.sum(3, keepdim=True)
        with torch.autocast(images.device.type, enabled=False):
            outputs: Tensor = _Standardized.apply(images.float(), inside, pixels)
            return outputs.to(images.dtype)


class _Standardized(torch.autograd.Function):
    """y = (x - mean) / (std + ε) over n pixels, with few passes over the memory.

    With g the gradient of y, that of x is (g - mean g) / (std + ε) - y (Σ g y) / ((n - 1) std).
    """

    @staticmethod
    def forward(
        ctx: BackwardCFunction, images: Tensor, inside: Tensor | None, pixels: Tensor
    ) -> Tensor:
        # Neither a single pixel nor none leads to a division by zero.
        count, freedom = pixels.clamp(min=1), (pixels - 1).clamp(min=1)
        outputs = _only(images - _total(_only(images, inside)) / count, inside)
        spread = (_total(outputs.square()) / freedom).sqrt_()
        outputs.div_(spread + EPSILON)
        ctx.save_for_backward(
            outputs, spread, count, freedom, *([] if inside is None else [inside])
        )
        return outputs

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, None, None]:
        outputs, spread, count, freedom, *mask = tuple(ctx.saved_tensors)
        inside = mask[0] if mask else None
        gradient = _only(gradients[0], inside)
        along = _total(gradient * outputs) / (freedom * spread).clamp(min=_SMALLEST)
        ahead = (gradient - _total(gradient) / count).div_(spread + EPSILON)
        return _only(ahead.addcmul_(outputs, along, value=-1), inside), None, None


def _total(pixels: Tensor) -> Tensor:
    return pixels.sum((2, 3), keepdim=True)


def _only(pixels: Tensor, inside: Tensor | None) -> Tensor:
    return pixels if inside is None else pixels.where(inside, 0)

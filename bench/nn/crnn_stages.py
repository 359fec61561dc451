"""The convolutional stages that CRNN and similar models share."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import nn

from bench.nn.convolutions import Stage

_HALVED = (0, 1)
"""Convolutions whose pooling halves both sides."""


def crnn_stages(
    channels: int,
    widths: Sequence[int],
    *,
    normalized: Collection[int],
    lowered: Collection[int],
    padded: bool = True,
    bias: bool = True,
) -> list[Stage]:
    """Return stages of 3×3 convolutions and a last one of 2×2, which brings two rows down to one.

    Args:
        channels: The channels of the images.
        widths: The channels of each convolution.
        normalized: The numbers, from 0, of those with batch normalization.
        lowered: The numbers of those whose pooling halves only the height.
        padded: Whether that pooling spans two columns, with padding at the ends, as in Shi et al.
            (TPAMI 2017); else one column.
        bias: Whether convolutions below a normalization have a bias; all others have one.
    """
    stages = []
    for number, width in enumerate(widths):
        last = number + 1 == len(widths)
        convolution = nn.Conv2d(
            channels,
            width,
            2 if last else 3,
            padding=0 if last else 1,
            bias=bias or number not in normalized,
        )
        pool = nn.MaxPool2d(2) if number in _HALVED else None
        if number in lowered:
            pool = nn.MaxPool2d(2, (2, 1), (0, 1)) if padded else nn.MaxPool2d((2, 1))
        norm = nn.BatchNorm2d(width) if number in normalized else None
        stages.append(Stage(convolution, norm, pool))
        channels = width
    return stages

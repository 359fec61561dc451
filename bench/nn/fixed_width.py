"""Images of one size, for networks that learn something of every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.nn.convolutions import cut

if TYPE_CHECKING:
    from bench.core.types import InputShape


def one_width(model: str, shape: InputShape) -> int:
    """Return the width of all images. Raises BenchError where they have none in common."""
    if not shape.width:
        raise BenchError(
            f"model '{model}' learns the places of an image and so reads images of one width, "
            "which this dataset does not give; set the dataset's width, or take another model"
        )
    return shape.width


def halved(shape: InputShape, times: int) -> tuple[int, int]:
    """Return height and width after halving them, rounded down. Raises BenchError on nothing."""
    height, width = shape.height >> times, shape.width >> times
    if not height * width:
        raise BenchError(
            f"frames of {shape.height}×{shape.width} pixels are nothing after halving them {times} "
            f"times; set the dataset's size to {2**times} at least, or take another model"
        )
    return height, width


def filled(images: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Return images (N, channels, H, W) at least `width` wide, all 0 behind their lengths (N,).

    So what a network makes of an image depends neither on the padding of its batch nor on how wide
    that is.
    """
    return cut(functional.pad(images, (0, max(width - images.shape[3], 0))), lengths)

"""Images of one size, for networks with learned positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.nn.convolutions import cut

if TYPE_CHECKING:
    from bench.core.types import InputShape


def common_width(model: str, shape: InputShape) -> int:
    """Return the width of all images. Raises BenchError if widths vary."""
    if not shape.width:
        raise BenchError(
            f"model '{model}' has learned positions and requires images of one width, but the "
            "width of this input varies; set the width of the input, or choose another model"
        )
    return shape.width


def halved_size(shape: InputShape, times: int) -> tuple[int, int]:
    """Return height and width halved `times` times, rounded down. Raises BenchError if 0."""
    height, width = shape.height >> times, shape.width >> times
    if not height * width:
        raise BenchError(
            f"frames of {shape.height}×{shape.width} pixels have no pixel left after halving them "
            f"{times} times; set the input's size to at least {2**times}, or choose another model"
        )
    return height, width


def pad_to_width(images: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Return images (N, channels, H, W) padded to `width`, with zeros after their lengths (N,).

    So the features of an image depend neither on the padding of its batch nor on its width.
    """
    return cut(functional.pad(images, (0, max(width - images.shape[3], 0))), lengths)

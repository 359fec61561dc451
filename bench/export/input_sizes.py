"""The sizes that the inputs of a network may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bench.core.model_input import ImageInput, Input
from bench.nn.convolutions import Convolutions, columns

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.types import InputShape
    from bench.recognizers.networks.network import RecognitionNetwork

_EXAMPLE_LENGTH = 64


@dataclass(frozen=True)
class InputSizes:
    """The sizes of a network's inputs, fixed or variable.

    Attributes:
        shape: Channels, height and width of a frame or image in pixels; the width is 0 if it is
            variable.
        clips: Whether inputs are clips of frames.
        padded: Whether samples may be shorter than their batch, so that lengths are an input too.
        min_length: Least number of columns or frames for which the network has an output.
    """

    shape: InputShape
    clips: bool
    padded: bool
    min_length: int

    @property
    def name(self) -> str:
        """The name of the input in a graph."""
        return "frames" if self.clips else "images"

    @property
    def example_length(self) -> int:
        """The length of an example: columns of an image, or frames of a clip."""
        return (
            max(_EXAMPLE_LENGTH, self.min_length)
            if self.clips or not self.shape.width
            else self.shape.width
        )

    def example(self, batch: int, length: int) -> Tensor:
        """Return a batch of noise in [0, 1], which is the same for the same sizes."""
        channels, height, width = self.shape
        size = (batch, channels, height, width or length)
        if self.clips:
            size = (batch, length, *self.shape)  # type: ignore[assignment]
        return torch.rand(size, generator=torch.Generator().manual_seed(batch + length))


def input_sizes(model_input: Input, shape: InputShape, network: RecognitionNetwork) -> InputSizes:
    """Return the sizes of a network's inputs.

    Args:
        model_input: The conversion of pixels to tensors.
        shape: The shape of one frame or image.
        network: The network.
    """
    min_length = _min_length(network)
    if not isinstance(model_input, ImageInput):
        return InputSizes(shape, clips=True, padded=True, min_length=min_length)
    padded = not shape.width or model_input.keep_ratio
    return InputSizes(shape, clips=False, padded=padded, min_length=min_length)


def _min_length(network: RecognitionNetwork) -> int:
    """Return the least number of columns of which the convolutions leave at least one."""
    min_length = 1
    for part in network.modules():
        if isinstance(part, Convolutions):
            while columns(part, min_length) < 1:
                min_length += 1
    return min_length

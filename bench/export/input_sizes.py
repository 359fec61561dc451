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

_LENGTH = 64


@dataclass(frozen=True)
class InputSizes:
    """What varies in the inputs of a network.

    Attributes:
        shape: Channels, height and width of one frame or image; 0 where widths differ.
        clips: Whether inputs are clips of frames.
        padded: Whether samples of one batch may be shorter than its tensor, so that their lengths
            are an input too.
        least: The least columns or frames that the network computes anything of.
    """

    shape: InputShape
    clips: bool
    padded: bool
    least: int

    @property
    def name(self) -> str:
        """What the input is called in a graph."""
        return "frames" if self.clips else "images"

    @property
    def usual_length(self) -> int:
        """A length that a sample may have."""
        return max(_LENGTH, self.least) if self.clips or not self.shape.width else self.shape.width

    def example(self, batch: int, length: int) -> Tensor:
        """Return inputs of noise in [0, 1], the same ones for the same sizes."""
        channels, height, width = self.shape
        size = (batch, channels, height, width or length)
        if self.clips:
            size = (batch, length, *self.shape)  # type: ignore[assignment]
        return torch.rand(size, generator=torch.Generator().manual_seed(batch + length))


def input_sizes(model_input: Input, shape: InputShape, network: RecognitionNetwork) -> InputSizes:
    """Return what varies in the inputs that `model_input` makes for a network.

    Args:
        model_input: How pixels become tensors.
        shape: The shape of one frame or image.
        network: What reads them.
    """
    least = _least_length(network)
    if not isinstance(model_input, ImageInput):
        return InputSizes(shape, clips=True, padded=True, least=least)
    padded = not shape.width or model_input.keep_ratio
    return InputSizes(shape, clips=False, padded=padded, least=least)


def _least_length(network: RecognitionNetwork) -> int:
    """Return the least columns of which its convolutions leave one."""
    least = 1
    for part in network.modules():
        if isinstance(part, Convolutions):
            while columns(part, least) < 1:
                least += 1
    return least

"""The vision model of ABINet: every symbol looks for its own place in the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Seq2SeqModel
from bench.core.model_input import ImageInput, Input
from bench.core.schema import BelowOne, PositiveInt
from bench.core.types import InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class AbinetVision(Seq2SeqModel):
    """ResNet45, a transformer encoder and position attention: all symbols of a word at once.

    Fang et al., "Read Like Humans" (ABINet, CVPR 2021), without the language model behind it; Zhang
    et al. (AAAI 2022) train it with `conclr`. It emits `max_length` symbols and their end, and
    reads none of them back. The ResNet's first stage has `width` channels, its last one 16 times as
    many, as has the encoder of `layers` layers.
    """

    name: ClassVar[str] = "abinet-vision"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(width=128, color=True, normalization="imagenet")

    width: PositiveInt = 32
    layers: PositiveInt = 3
    dropout: BelowOne = 0.1
    max_length: PositiveInt = 25

    def build(self, shape: InputShape, classes: int) -> nn.Module:  # noqa: ARG002 (nothing is read back)
        """Return the network for images of `shape`. Raises BenchError without a width."""
        from torch import nn

        from bench.nn.fixed_width import one_width
        from bench.nn.position_attention import PlaceEncoder, PositionAttention, PositionReader
        from bench.nn.residual import resnet45

        columns = one_width(self.name, shape)
        features = 16 * self.width
        places = -(-shape.height // 4) * -(-columns // 4)
        image = nn.Sequential(
            resnet45(shape.channels, self.width),
            PlaceEncoder(features, places, self.layers, self.dropout),
        )
        attention = PositionAttention(features, 2 * self.width, self.max_length + 1)
        return PositionReader(image, attention, columns)

"""The vision model of ABINet: parallel attention with one query per symbol."""

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

    It predicts `max_length` symbols and EOS in parallel. ABINet's language model is not part of it;
    Zhang et al. (AAAI 2022) train it with `conclr`. 23,547,461 weights with 37 classes.

    Args:
        width: The channels of the ResNet's first stage; its last stage and the encoder have 16
            times as many.
        layers: The layers of the transformer encoder.
        dropout: The probability of dropout in the encoder.
        max_length: The largest number of symbols.

    Source:
        Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language Modeling
        for Scene Text Recognition" (ABINet, CVPR 2021).
    """

    name: ClassVar[str] = "abinet-vision"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(width=128, color=True, normalization="imagenet")

    width: PositiveInt = 32
    layers: PositiveInt = 3
    dropout: BelowOne = 0.1
    max_length: PositiveInt = 25

    def build(self, shape: InputShape, classes: int) -> nn.Module:  # noqa: ARG002 (no feedback)
        """Return the network for images of `shape`. Raises BenchError without a width."""
        from torch import nn

        from bench.nn.fixed_width import common_width
        from bench.nn.position_attention import PositionAttention, PositionEncoder, PositionReader
        from bench.nn.residual import resnet45

        columns = common_width(self.name, shape)
        features = 16 * self.width
        positions = -(-shape.height // 4) * -(-columns // 4)
        image = nn.Sequential(
            resnet45(shape.channels, self.width),
            PositionEncoder(features, positions, self.layers, self.dropout),
        )
        attention = PositionAttention(features, 2 * self.width, self.max_length + 1)
        return PositionReader(image, attention, columns)

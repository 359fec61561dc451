"""CRNN: seven convolutions and two BiLSTMs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import FrameModel
from bench.core.errors import BenchError
from bench.core.model_input import ImageInput, Input
from bench.core.schema import PositiveInt
from bench.core.types import FeatureDims, InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn

    from bench.nn.convolutions import Convolutions

_HEIGHT = 32
_TIMES = (1, 2, 4, 4, 8, 8, 8)
_NORMALIZED = (2, 4, 6)
_LOWERED = (3, 5)
"""Convolutions whose pooling halves the height alone."""


@dataclass(frozen=True)
class CRNN(FrameModel):
    """Seven convolutions over a word 32 pixels high, then two BiLSTMs over its columns.

    Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-Based Sequence Recognition
    and Its Application to Scene Text Recognition" (TPAMI 2017), with the batch normalizations of
    its code (github.com/bgshih/crnn): behind the third, fifth and seventh convolution. A frame is
    4 pixels wide; W pixels make ⌊W / 4⌋ + 1 frames, 100 make 26. What is behind a word's end is
    zero before each convolution.

    `width` is the channels of the first convolution (the others have 2, 4, 4, 8, 8 and 8 times as
    many), `hidden` the units of each LSTM direction. `join` puts a linear layer between the LSTMs;
    `bias` is that of the convolutions below a normalization. With both, and one channel, it has
    8,331,301 weights under CTC with 37 classes. Without, it is what many ports have: 8,724,133 with
    three channels.
    """

    name: ClassVar[str] = "crnn"
    accepts: ClassVar[InputKind] = "image"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = ImageInput()

    width: PositiveInt = 64
    hidden: PositiveInt = 256
    join: bool = True
    bias: bool = True

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for images of `shape`. Raises BenchError on another height."""
        from bench.nn.convolutions import ColumnReader
        from bench.nn.frames import BiLSTM, JoinedBiLSTM

        if shape.height != _HEIGHT:
            raise BenchError(
                f"crnn reads words {_HEIGHT} pixels high, and these are {shape.height}; "
                f"set the dataset's height to {_HEIGHT}"
            )
        features = _TIMES[-1] * self.width
        encoder = (
            JoinedBiLSTM(features, self.hidden)
            if self.join
            else BiLSTM(features, self.hidden, layers=2)
        )
        return ColumnReader(
            self.convolutions(shape.channels), encoder, FeatureDims(2 * self.hidden, features)
        )

    def convolutions(self, channels: int) -> Convolutions:
        """Return the stages that bring 32 rows down to one."""
        from bench.nn.convolutions import Convolutions
        from bench.nn.crnn_stages import crnn_stages

        widths = [times * self.width for times in _TIMES]
        stages = crnn_stages(
            channels, widths, normalized=_NORMALIZED, lowered=_LOWERED, bias=self.bias
        )
        return Convolutions(stages, masked=True)

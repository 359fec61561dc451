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
"""Convolutions whose pooling halves only the height."""


@dataclass(frozen=True)
class CRNN(FrameModel):
    """Seven convolutions over a word 32 pixels high, then two BiLSTMs over its columns.

    A frame covers 4 columns; an image of W columns gives ⌊W / 4⌋ + 1 frames, 100 columns give 26.
    Columns after a word's end are zero before each convolution. Batch normalizations follow the
    third, fifth and seventh convolution, as in the authors' code.

    Under CTC with 37 classes it has 8,331,301 weights with the defaults and one channel, and
    8,724,133 with `join = false`, `bias = false` and three channels, as many ports have it.

    Args:
        width: The channels of the first convolution; the others have 2, 4, 4, 8, 8 and 8 times as
            many.
        hidden: The units of each LSTM direction.
        join: Whether a linear layer is between the two LSTMs, as in the authors' code.
        bias: Whether convolutions before a normalization have a bias, as in the authors' code.

    Source:
        Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-Based Sequence
        Recognition and Its Application to Scene Text Recognition" (TPAMI 2017);
        github.com/bgshih/crnn.
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
                f"set the height of the input to {_HEIGHT}"
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
        """Return the stages that reduce 32 rows to one."""
        from bench.nn.convolutions import Convolutions
        from bench.nn.crnn_stages import crnn_stages

        widths = [times * self.width for times in _TIMES]
        stages = crnn_stages(
            channels, widths, normalized=_NORMALIZED, lowered=_LOWERED, bias=self.bias
        )
        return Convolutions(stages, masked=True)

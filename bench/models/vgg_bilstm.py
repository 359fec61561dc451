"""None-VGG-BiLSTM of clovaai's benchmark, the architecture of EasyOCR's English model."""

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

_LOWEST = 32
_TIMES = (1, 2, 4, 4, 8, 8, 8)
_NORMALIZED = (4, 5)
_LOWERED = (3, 5)
"""Convolutions whose pooling halves only the height."""


@dataclass(frozen=True)
class VggBiLSTM(FrameModel):
    """Seven convolutions, a mean over rows, and two BiLSTMs, each followed by a linear layer.

    It differs from `crnn` in its pooling without padding (W columns give ⌊W / 4⌋ - 1 frames, 100
    columns give 24), in its two batch normalizations, after the fifth and the sixth convolution,
    which have no bias, and in the second linear layer. Images 32 pixels high leave one row, higher
    ones the mean of several. Columns after a word's end are zero before each convolution. EasyOCR's
    English model has half the channels and twice the height.

    8,451,621 weights under CTC with 37 classes and one channel.

    Args:
        width: The channels of the first convolution; the others have 2, 4, 4, 8, 8 and 8 times as
            many.
        hidden: The units of each LSTM direction, and the features of each linear layer.

    Raises:
        BenchError: Images are less than 32 pixels high.

    Source:
        Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (ICCV 2019),
        model None-VGG-BiLSTM.
    """

    name: ClassVar[str] = "vgg-bilstm"
    accepts: ClassVar[InputKind] = "image"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = ImageInput()

    width: PositiveInt = 64
    hidden: PositiveInt = 256

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for images of `shape`. Raises BenchError on too low ones."""
        from bench.nn.convolutions import ColumnReader, Convolutions, RowMean
        from bench.nn.crnn_stages import crnn_stages
        from bench.nn.frames import ProjectedBiLSTM

        if shape.height < _LOWEST:
            raise BenchError(
                f"vgg-bilstm reads words at least {_LOWEST} pixels high, and these are "
                f"{shape.height}; set the height of the input to {_LOWEST}"
            )
        widths = [times * self.width for times in _TIMES]
        stages = crnn_stages(
            shape.channels,
            widths,
            normalized=_NORMALIZED,
            lowered=_LOWERED,
            padded=False,
            bias=False,
        )
        return ColumnReader(
            Convolutions([*stages, RowMean()], masked=True),
            ProjectedBiLSTM(widths[-1], self.hidden),
            FeatureDims(self.hidden, widths[-1]),
        )

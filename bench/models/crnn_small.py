"""CRNN with one convolution and one BiLSTM fewer."""

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

_HEIGHT = 32
_TIMES = (1, 2, 4, 4, 8, 8)
_NORMALIZED = (2, 4, 5)
_LOWERED = (3, 4)
"""Convolutions whose pooling halves only the height."""


@dataclass(frozen=True)
class CrnnSmall(FrameModel):
    """Six convolutions over a word 32 pixels high, then one BiLSTM over its columns.

    `crnn` without its sixth convolution and its second BiLSTM, as in the package nano-ocr, with
    batch normalization after the third, fifth and sixth convolution. An image of W columns gives
    ⌊W / 4⌋ + 1 frames. Columns after a word's end are zero before each convolution. 4,802,370
    weights under CTC with 66 classes and one channel.

    Args:
        width: The channels of the first convolution; the others have 2, 4, 4, 8 and 8 times as
            many.
        hidden: The units of each LSTM direction.

    Raises:
        BenchError: Images are not 32 pixels high.
    """

    name: ClassVar[str] = "crnn-small"
    accepts: ClassVar[InputKind] = "image"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = ImageInput()

    width: PositiveInt = 64
    hidden: PositiveInt = 256

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for images of `shape`. Raises BenchError on another height."""
        from bench.nn.convolutions import ColumnReader, Convolutions
        from bench.nn.crnn_stages import crnn_stages
        from bench.nn.frames import BiLSTM

        if shape.height != _HEIGHT:
            raise BenchError(
                f"crnn-small reads words {_HEIGHT} pixels high, and these are {shape.height}; "
                f"set the height of the input to {_HEIGHT}"
            )
        widths = [times * self.width for times in _TIMES]
        stages = crnn_stages(shape.channels, widths, normalized=_NORMALIZED, lowered=_LOWERED)
        return ColumnReader(
            Convolutions(stages, masked=True),
            BiLSTM(widths[-1], self.hidden, 1),
            FeatureDims(2 * self.hidden, widths[-1]),
        )

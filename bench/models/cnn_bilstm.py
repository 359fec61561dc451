"""A small convolutional network per frame, then a BiLSTM over the frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import FrameModel
from bench.core.model_input import FrameInput, Input
from bench.core.schema import PositiveInt
from bench.core.types import FeatureDims, InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class CnnBiLSTM(FrameModel):
    """Two 3×3 convolutions on each frame, then a BiLSTM over the frames.

    A small network in the manner of CRNN, to show what context over time adds to a frame model.

    Args:
        width: The channels of the first convolution; the second has twice as many.
        hidden: The units of each LSTM direction.
        layers: The layers of the BiLSTM.

    Source:
        Shi et al., "An End-to-End Trainable Neural Network for Image-Based Sequence Recognition"
        (2015), for the architecture it follows.
    """

    name: ClassVar[str] = "cnn-bilstm"
    accepts: ClassVar[InputKind] = "frames"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = FrameInput(normalization="unit")

    width: PositiveInt = 32
    hidden: PositiveInt = 64
    layers: PositiveInt = 1

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for frames of `shape`. Raises BenchError below 4 pixels a side."""
        from torch import nn

        from bench.nn.fixed_width import halved_size
        from bench.nn.frames import BiLSTM, PerFrame

        stages: list[nn.Module] = []
        channels = shape.channels
        for width in (self.width, 2 * self.width):
            convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            stages += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        pooled = channels * math.prod(halved_size(shape, 2))
        frame = nn.Sequential(*stages, nn.Flatten(), nn.Linear(pooled, self.hidden), nn.ReLU())
        encoder = BiLSTM(self.hidden, self.hidden, self.layers)
        return PerFrame(frame, FeatureDims(2 * self.hidden, self.hidden), encoder)

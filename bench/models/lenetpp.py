"""LeNet++ per frame."""

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
class LeNetPP(FrameModel):
    """LeNet++: six 5×5 convolutions with PReLU on each frame, without context over time.

    Args:
        width: The channels of the first stage; the next two have two and four times as many.
        features: The feature dimension; 3 in Min et al. (RadialCTC, ECCV 2022).
        batch_norm: Whether a batch normalization follows each convolution.

    Source:
        Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition" (ECCV
        2016).
    """

    name: ClassVar[str] = "lenetpp"
    accepts: ClassVar[InputKind] = "frames"
    default_input: ClassVar[Input] = FrameInput(normalization="unit")

    width: PositiveInt = 32
    features: PositiveInt = 3
    batch_norm: bool = False

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for frames of `shape`. Raises BenchError below 8 pixels a side."""
        from torch import nn

        from bench.nn.fixed_width import halved_size
        from bench.nn.frames import PerFrame

        layers: list[nn.Module] = []
        channels = shape.channels
        for stage in (1, 2, 4):
            for _ in range(2):
                layers.append(nn.Conv2d(channels, stage * self.width, 5, padding=2))
                if self.batch_norm:
                    layers.append(nn.BatchNorm2d(stage * self.width))
                layers.append(nn.PReLU())
                channels = stage * self.width
            layers.append(nn.MaxPool2d(2))
        pooled = channels * math.prod(halved_size(shape, 3))
        layers += [nn.Flatten(), nn.Linear(pooled, self.features), nn.PReLU()]
        return PerFrame(nn.Sequential(*layers), FeatureDims(self.features))

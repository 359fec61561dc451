"""The network of VAC for continuous sign language recognition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import FrameModel
from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, Input
from bench.core.schema import BelowOne, PositiveInt
from bench.core.types import FeatureDims, InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn

_IMAGENET = (3, 64)
"""The channels and the width of the ResNet18 that torchvision has weights of."""


@dataclass(frozen=True)
class CslrResNet18(FrameModel):
    """ResNet18 on each frame, convolutions over time, two BiLSTM layers; a feature every 4 frames.

    Min et al., "Visual Alignment Constraint for Continuous Sign Language Recognition" (ICCV 2021).
    Visual features are those below the BiLSTM. `width` is the channels of ResNet18's first stage,
    `hidden` the units of each LSTM direction; the convolutions have twice as many.

    `pretrained` starts ResNet18 from torchvision's ImageNet weights, as its code does. They are
    downloaded once by torchvision, 45 MB, to torch's folder for them.
    """

    name: ClassVar[str] = "cslr-resnet18"
    accepts: ClassVar[InputKind] = "frames"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = FrameInput(size=256, crop=224)

    width: PositiveInt = 64
    hidden: PositiveInt = 512
    dropout: BelowOne = 0.3
    pretrained: bool = False

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for frames of `shape`, which may have any size."""
        from bench.nn.clip_network import ClipNetwork, TemporalConvolution
        from bench.nn.frames import BiLSTM
        from bench.nn.residual import imagenet_weights, resnet18

        if self.pretrained and (shape.channels, self.width) != _IMAGENET:
            raise BenchError(
                "model 'cslr-resnet18': pretrained = true needs frames of 3 channels and "
                f"width = 64, not {shape.channels} and {self.width}; set pretrained = false"
            )
        frame = resnet18(shape.channels, self.width)
        if self.pretrained:
            frame.load_state_dict(imagenet_weights())
        features = 2 * self.hidden
        return ClipNetwork(
            frame,
            TemporalConvolution(8 * self.width, features),
            BiLSTM(features, self.hidden, 2, self.dropout),
            FeatureDims(features, features),
        )

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
"""The channels and the width of the ResNet18 for which torchvision has weights."""


@dataclass(frozen=True)
class CslrResNet18(FrameModel):
    """ResNet18 per frame, convolutions over time, two BiLSTM layers; one feature per 4 frames.

    Visual features are those before the BiLSTM.

    Args:
        width: The channels of ResNet18's first stage.
        hidden: The units of each LSTM direction; the temporal convolutions have twice as many.
        dropout: The probability of dropout between the BiLSTM layers.
        pretrained: Whether ResNet18 starts from torchvision's ImageNet weights, as in the authors'
            code. torchvision downloads them once, 45 MB, to torch's cache.

    Source:
        Min et al., "Visual Alignment Constraint for Continuous Sign Language Recognition" (ICCV
        2021).
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
                "model 'cslr-resnet18': pretrained = true requires frames of 3 channels and "
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

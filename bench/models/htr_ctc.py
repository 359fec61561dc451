"""Six convolutions and BiLSTMs over a line of handwriting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import FrameModel
from bench.core.model_input import ImageInput, Input
from bench.core.schema import BelowOne, PositiveInt
from bench.core.types import FeatureDims, InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class HtrCTC(FrameModel):
    """Six convolutions over a line, then BiLSTMs over its columns: the baseline of a thesis.

    An image of W columns gives ⌊W / 4⌋ frames. 1,728,721 weights under CTC with 81 classes,
    3,305,681 with two layers; the thesis's runs had one layer, although its configuration states
    two. The thesis classifies 79 characters, an end and a blank; no end is required here, so the
    same alphabet has 80 classes.

    Args:
        width: The channels of the first convolution.
        features: The channels of the last convolution.
        hidden: The units of each LSTM direction.
        layers: The layers of the BiLSTM.
        normalization: Which normalization follows each convolution.
        masked: Whether convolutions and normalizations ignore the padding of a batch, except for
            the statistics of batch normalization in training. The thesis does not.
        dropout: The probability of dropout after the convolutions and before the classifier.

    Source:
        github.com/resolator/diploma-master (2022), model `baseline`.
    """

    name: ClassVar[str] = "htr-ctc"
    accepts: ClassVar[InputKind] = "image"
    visual: ClassVar[bool] = True
    default_input: ClassVar[Input] = ImageInput(
        height=64, width=0, normalization="unit", margin=(16, 32)
    )

    width: PositiveInt = 32
    features: PositiveInt = 256
    hidden: PositiveInt = 256
    layers: PositiveInt = 1
    normalization: Literal["instance", "batch"] = "instance"
    masked: bool = False
    dropout: BelowOne = 0.15

    @property
    def reads_padding(self) -> bool:
        """Whether padding is not masked."""
        return not self.masked

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for lines of `shape`. Raises BenchError on an unusable height."""
        from bench.nn.convolutions import ColumnReader
        from bench.nn.frames import BiLSTM
        from bench.nn.gated import line_convolutions

        convolutions = line_convolutions(
            shape,
            self.width,
            self.features,
            normalization=self.normalization,
            masked=self.masked,
            dropout=self.dropout,
        )
        encoder = BiLSTM(self.features, self.hidden, self.layers)
        feature_dims = FeatureDims(2 * self.hidden, self.features)
        return ColumnReader(convolutions, encoder, feature_dims, self.dropout)

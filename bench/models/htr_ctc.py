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
    """Six convolutions over a line, then BiLSTMs over its columns: a thesis's baseline.

    github.com/resolator/diploma-master (2022), its model `baseline`. A frame is 4 pixels wide:
    W pixels make ⌊W / 4⌋ frames. 1,728,721 weights under CTC with 81 classes, 3,305,681 with two
    `layers`; its runs had one, though its configuration says two. It classifies 79 characters, an
    end and a blank there; no end is needed here, so the same alphabet has 80 classes.

    `width` is the channels of the first convolution, `features` those of the last, `hidden` the
    units of each LSTM direction. As there, normalization and convolutions see a batch's padding
    like any other pixels; `masked` keeps it from them, but for the statistics of batch
    normalization in training. `dropout` is that behind the convolutions, and before the classifier.
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

"""A line of handwriting, read symbol by symbol with attention."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import Seq2SeqModel
from bench.core.errors import BenchError
from bench.core.model_input import ImageInput, Input
from bench.core.schema import BelowOne, NonNegativeInt, PositiveInt
from bench.core.types import InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class HtrSeq2seq(Seq2SeqModel):
    """Six convolutions, a BiLSTM, and a decoder with additive attention: a thesis's baseline.

    github.com/resolator/diploma-master (2022), its model `seq2seq`: 1,779,474 weights with the
    linear classifier of 81 classes. There are 79 characters, an end and a start there; class 0 is
    both here, so the same alphabet has 80 classes, and 321 weights less.

    `encoder` is what lies between convolutions and attention: a BiLSTM ("rnn"), sines and cosines
    of the column, or of column and row, or nothing. `gates` puts gated convolutions of 9 columns on
    top of the six, each of which takes 4 columns off either side. `separable` makes the six
    depthwise separable with so many kernels a channel. `feature_height` is the rows that attention
    looks at: the last of the six halvings of the height are left out for more than one.

    `width` is the channels of the first convolution, `features` those of the last, `hidden` the
    units of the decoder (`recurrence`), `encoder_hidden` those of each direction of a BiLSTM,
    `attention` the size of the vectors that give the energies. It emits at most `max_length`
    symbols and their end. As there, normalization and convolutions see a batch's padding like any
    other pixels; BiLSTM and attention do not, and `masked` keeps it from all but the statistics of
    batch normalization in training. `dropout` is that behind the six convolutions, and before the
    classifier.

    Instance normalization leaves nothing of a single pixel: at one row, a line has to be at least
    4·(8·`gates` + 2) pixels wide for its last gate to see anything.
    """

    name: ClassVar[str] = "htr-seq2seq"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(
        height=64, width=0, normalization="unit", margin=(16, 32)
    )

    encoder: Literal["none", "rnn", "positional", "positional-2d"] = "rnn"
    gates: NonNegativeInt = 0
    separable: NonNegativeInt = 0
    feature_height: PositiveInt = 1
    width: PositiveInt = 32
    features: PositiveInt = 256
    embedding: PositiveInt = 64
    hidden: PositiveInt = 256
    encoder_hidden: PositiveInt = 128
    attention: PositiveInt = 256
    recurrence: Literal["lstm", "gru"] = "lstm"
    normalization: Literal["instance", "batch"] = "instance"
    masked: bool = False
    dropout: BelowOne = 0.15
    gate_dropout: BelowOne = 0.4
    max_length: PositiveInt = 97

    def __post_init__(self) -> None:
        """Raise BenchError on what nothing reads, and on more than one row for a BiLSTM."""
        unread = {"encoder_hidden": self.encoder != "rnn", "gate_dropout": not self.gates}
        for one in fields(self):
            if unread.get(one.name) and getattr(self, one.name) != one.default:
                raise BenchError(
                    f"'{one.name}' is read by nothing with encoder = '{self.encoder}' and gates = "
                    f"{self.gates}; leave it out"
                )
        if self.encoder == "positional-2d" and self.features == 1:
            raise BenchError(
                "encoder = 'positional-2d' halves features between column and row; set features "
                "to 2 at least"
            )
        if self.encoder == "rnn" and self.feature_height > 1:
            raise BenchError(
                f"encoder = 'rnn' reads one row of features, and feature_height = "
                f"{self.feature_height} leaves more; set encoder to 'positional-2d'"
            )

    @property
    def reads_padding(self) -> bool:
        """Whether padding is not masked."""
        return not self.masked

    def build(self, shape: InputShape, classes: int) -> nn.Module:
        """Return the network for lines of `shape`. Raises BenchError on an unusable height."""
        from bench.nn.gated import line_convolutions
        from bench.nn.glimpses import GlimpseDecoder, GlimpseReader

        convolutions = line_convolutions(
            shape,
            self.width,
            self.features,
            feature_height=self.feature_height,
            multiplier=self.separable,
            gates=self.gates,
            gate_dropout=self.gate_dropout,
            normalization=self.normalization,
            masked=self.masked,
            dropout=self.dropout,
        )
        encoder, features = self._encoder()
        decoder = GlimpseDecoder(
            features,
            classes,
            embedding=self.embedding,
            hidden=self.hidden,
            attention=self.attention,
            steps=self.max_length + 1,
            recurrence=self.recurrence,
            dropout=self.dropout,
        )
        return GlimpseReader(convolutions, encoder, decoder, shape.height // self.feature_height)

    def _encoder(self) -> tuple[nn.Module | None, int]:
        """Return the encoder and how many features it gives."""
        from bench.nn.glimpses import RowEncoder
        from bench.nn.positions import ColumnPositions, GridPositions

        if self.encoder == "rnn":
            return RowEncoder(self.features, self.encoder_hidden), 2 * self.encoder_hidden
        if self.encoder == "none":
            return None, self.features
        positions = ColumnPositions() if self.encoder == "positional" else GridPositions()
        return positions, self.features

"""Convolutions and an autoregressive attention decoder over a line of handwriting."""

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
    """Six convolutions, a BiLSTM, and a decoder with additive attention: the baseline of a thesis.

    1,779,474 weights with the linear classifier of 81 classes. The thesis has 79 characters, an end
    and a start; class 0 is both here, so the same alphabet has 80 classes and 321 weights less.

    Instance normalization of a single pixel gives 0, so with one row a line has to be at least
    4·(8·`gates` + 2) pixels wide.

    Args:
        encoder: The encoder between convolutions and attention: a BiLSTM ("rnn"), sinusoidal
            encodings of the column, or of column and row, or none.
        gates: The number of gated convolutions over 9 columns after the six; each removes 4 columns
            on both sides.
        separable: Kernels per channel of depthwise separable convolutions; 0: plain ones.
        feature_height: The rows that attention reads; for more than one row, the last of the six
            halvings of the height are left out.
        width: The channels of the first convolution.
        features: The channels of the last convolution.
        embedding: The dimension of the embedded symbols.
        hidden: The units of the decoder.
        encoder_hidden: The units of each direction of the BiLSTM; read with `encoder = "rnn"` only.
        attention: The dimension of the vectors from which energies are computed.
        recurrence: The cell of the decoder.
        normalization: Which normalization follows each convolution.
        masked: Whether convolutions and normalizations ignore the padding of a batch, except for
            the statistics of batch normalization in training. The thesis does not; BiLSTM and
            attention always do.
        dropout: The probability of dropout after the convolutions and before the classifier.
        gate_dropout: The probability of dropout in each gate; read with `gates` only.
        max_length: The largest number of symbols.

    Raises:
        BenchError: A parameter is set that has no effect, or the encoder does not fit the features.

    Source:
        github.com/resolator/diploma-master (2022), model `seq2seq`.
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
        """Raise BenchError on parameters without effect, and on several rows for a BiLSTM."""
        unread = {"encoder_hidden": self.encoder != "rnn", "gate_dropout": not self.gates}
        for parameter in fields(self):
            if unread.get(parameter.name) and getattr(self, parameter.name) != parameter.default:
                raise BenchError(
                    f"'{parameter.name}' has no effect with encoder = '{self.encoder}' and "
                    f"gates = {self.gates}; remove it"
                )
        if self.encoder == "positional-2d" and self.features == 1:
            raise BenchError(
                "encoder = 'positional-2d' divides features between column and row; set features "
                "to at least 2"
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
        """Return the encoder and the number of its features."""
        from bench.nn.glimpses import RowEncoder
        from bench.nn.positions import ColumnPositions, GridPositions

        if self.encoder == "rnn":
            return RowEncoder(self.features, self.encoder_hidden), 2 * self.encoder_hidden
        if self.encoder == "none":
            return None, self.features
        positions = ColumnPositions() if self.encoder == "positional" else GridPositions()
        return positions, self.features

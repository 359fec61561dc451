"""The frames of cnn-bilstm, read symbol by symbol by an attention decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Seq2SeqModel
from bench.core.model_input import FrameInput, Input
from bench.core.schema import PositiveInt
from bench.core.types import InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class CnnAttention(Seq2SeqModel):
    """`cnn-bilstm` below an LSTM with additive attention that reads its symbols back.

    What CTC's independence of frames costs or gains on the same frames. The attention is that of
    Bahdanau, Cho and Bengio (ICLR 2015), asked by the decoder's new state. `width`, `hidden` and
    `layers` are those of `cnn-bilstm`, the decoder has `hidden` units too; it emits at most
    `max_length` symbols and their end.
    """

    name: ClassVar[str] = "cnn-attention"
    accepts: ClassVar[InputKind] = "frames"
    default_input: ClassVar[Input] = FrameInput(normalization="unit")

    width: PositiveInt = 32
    hidden: PositiveInt = 64
    layers: PositiveInt = 1
    max_length: PositiveInt = 25

    def build(self, shape: InputShape, classes: int) -> nn.Module:
        """Return the network for frames of `shape`. Raises BenchError below 4 pixels a side."""
        from bench.models.cnn_bilstm import CnnBiLSTM
        from bench.nn.additive_attention import AttentionDecoder, AttentionReader

        frames = CnnBiLSTM(self.width, self.hidden, self.layers).build(shape)
        decoder = AttentionDecoder(2 * self.hidden, self.hidden, classes, self.max_length + 1)
        return AttentionReader(frames, decoder)

"""`cnn-bilstm` with an autoregressive attention decoder."""

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
    """`cnn-bilstm` followed by an autoregressive LSTM with additive attention.

    It shows what CTC's independence of frames costs or gains on the same frames. The query of the
    attention is the decoder's new state.

    Args:
        width: As for `cnn-bilstm`.
        hidden: As for `cnn-bilstm`; also the units of the decoder.
        layers: As for `cnn-bilstm`.
        max_length: The largest number of symbols.

    Source:
        Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
        Translate" (ICLR 2015), for the attention.
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

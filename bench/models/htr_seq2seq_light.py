"""`htr-seq2seq` without a recurrent encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.core.schema import NonNegativeInt
from bench.models.htr_seq2seq import HtrSeq2seq


@dataclass(frozen=True)
class HtrSeq2seqLight(HtrSeq2seq):
    """`htr-seq2seq` without its BiLSTM: gated convolutions with encodings of their column.

    It has one gate, as the later experiments of the thesis. 1,518,354 weights with the linear
    classifier of 81 classes. For other parameters see `htr-seq2seq`.

    Args:
        encoder: As for `htr-seq2seq`.
        gates: As for `htr-seq2seq`.

    Source:
        github.com/resolator/diploma-master (2022), model `seq2seq_light`.
    """

    name: ClassVar[str] = "htr-seq2seq-light"

    encoder: Literal["none", "rnn", "positional", "positional-2d"] = "positional"
    gates: NonNegativeInt = 1

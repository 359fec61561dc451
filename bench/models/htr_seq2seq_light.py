"""A line of handwriting, read symbol by symbol without a recurrent encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.core.schema import NonNegativeInt
from bench.models.htr_seq2seq import HtrSeq2seq


@dataclass(frozen=True)
class HtrSeq2seqLight(HtrSeq2seq):
    """`htr-seq2seq` without its BiLSTM: attention on gated convolutions that know their column.

    The proposal of github.com/resolator/diploma-master (2022), its model `seq2seq_light`, with the
    one gate on which its later experiments build: 1,518,354 weights with the linear classifier of
    81 classes. Parameters are those of `htr-seq2seq`.
    """

    name: ClassVar[str] = "htr-seq2seq-light"

    encoder: Literal["none", "rnn", "positional", "positional-2d"] = "positional"
    gates: NonNegativeInt = 1

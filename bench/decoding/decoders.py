"""Which decoder reads the classifier of which loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.decoding.ace_decoding import unmerged
from bench.decoding.beam import beam
from bench.decoding.greedy import greedy
from bench.decoding.seq2seq import until_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bench.core.types import DecoderFamily
    from bench.decoding.decoded import Decoded

    Decode = Callable[[Tensor, Tensor], Decoded]

DECODERS: dict[str, dict[DecoderFamily, Decode]] = {
    "greedy": {"ctc": greedy, "ace": unmerged, "seq2seq": until_end},
    "beam": {"ctc": beam, "ace": unmerged, "seq2seq": until_end},
}
"""By the decoder of a protocol and the family of a loss: from logits (N, T, C) and their lengths
(N,) to what they read as. Only CTC has something to search: many paths read as the same."""

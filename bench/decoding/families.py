"""Which decoder reads the classifier of which loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.decoding.counts import unmerged
from bench.decoding.greedy import Decoded, greedy
from bench.decoding.symbols import until_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bench.components import DecoderFamily

FAMILIES: dict[DecoderFamily, Callable[[Tensor, Tensor], Decoded]] = {
    "ctc": greedy,
    "counts": unmerged,
    "symbols": until_end,
}
"""From logits (N, T, C) and their lengths (N,) to what they read as, without searching."""

"""Prefix beam search without a language model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Decoder
from bench.core.schema import BelowOne, PositiveInt
from bench.core.types import DecoderFamily
from bench.decoding.families import CTC

if TYPE_CHECKING:
    from bench.decoding.algorithms.decoded import Decode


@dataclass(frozen=True)
class BeamDecoder(Decoder):
    """CTC prefix beam search: the labels with the largest probability over all of their paths.

    Args:
        width: Number of prefixes kept after each frame; the time grows in proportion to it. Where
            the network is sure of most frames, few prefixes have a noticeable probability, and 10
            are enough.
        cut: Classes with less than this probability in a frame are not tried in it; must be below
            1 / number of classes. 0 tries all. 1e-3 is several times as fast on lines of text.

    Source:
        Graves et al., "Connectionist Temporal Classification" (ICML 2006), § 3.2, prefix search,
        frame by frame as in Hannun et al. (arXiv:1408.2873), algorithm 1 without a language model.
    """

    name: ClassVar[str] = "beam"
    families: ClassVar[frozenset[DecoderFamily]] = frozenset({CTC})

    width: PositiveInt = 10
    cut: BelowOne = 0.0

    def build(self, family: DecoderFamily, vocabulary: tuple[str, ...]) -> Decode:  # noqa: ARG002
        """Return the search. Raises BenchError if `cut` is too large for the vocabulary."""
        from bench.decoding.algorithms.prefix_beam import prefix_beam_search, refuse_large_cut

        refuse_large_cut(self.cut, len(vocabulary) + 1)
        return partial(prefix_beam_search, width=self.width, cut=self.cut)

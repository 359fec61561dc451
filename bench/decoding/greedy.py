"""Greedy decoding: the best class of each frame or step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Decoder
from bench.core.types import DecoderFamily
from bench.decoding.families import ACE, CTC, SEQ2SEQ

if TYPE_CHECKING:
    from bench.decoding.algorithms.decoded import Decode


@dataclass(frozen=True)
class GreedyDecoder(Decoder):
    """The best class of each frame or step; the only decoder that reads every family.

    Each family turns these classes into labels in its own way. CTC merges repeated labels, then
    removes blanks. ACE removes blanks alone, so that a label in two frames is two labels. Seq2seq
    stops before the first end of sequence.

    Source:
        CTC: Graves et al., "Connectionist Temporal Classification" (ICML 2006), § 3.2, best path
        decoding. ACE: Xie et al., "Aggregation Cross-Entropy for Sequence Recognition"
        (CVPR 2019), § 3.
    """

    name: ClassVar[str] = "greedy"
    families: ClassVar[frozenset[DecoderFamily]] = frozenset({CTC, ACE, SEQ2SEQ})

    def build(self, family: DecoderFamily, vocabulary: tuple[str, ...]) -> Decode:  # noqa: ARG002
        """Return the greedy decoding function of a family; the vocabulary changes nothing."""
        from bench.decoding.algorithms import best_path

        functions: dict[DecoderFamily, Decode] = {
            CTC: best_path.decode_ctc,
            ACE: best_path.decode_ace,
            SEQ2SEQ: best_path.decode_seq2seq,
        }
        return functions[family]

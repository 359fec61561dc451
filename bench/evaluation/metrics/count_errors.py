"""One sample, its texts compared under a protocol."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING

import editdistance

from bench.evaluation.metrics.edit_alignment import aligned
from bench.evaluation.metrics.error_rates import Compared

if TYPE_CHECKING:
    from bench.evaluation.protocols import Protocol


def compare(
    protocol: Protocol, reference: str, hypothesis: str, count: int | None = None
) -> Compared:
    """Count what differs between two texts that `protocol.pair` returned.

    `count` is the number of edits where the two have been aligned already.
    Places and 1 − NED are defined for characters, word edits where there is a word rule. Glosses
    are words; their edits are those of the alignment at the protocol's costs.
    """
    same = reference == hypothesis
    wanted = protocol.tokens(reference)
    read = wanted if same else protocol.tokens(hypothesis)
    length = len(wanted)
    if same:
        count = 0
    elif count is None and protocol.unit == "gloss":
        count = len(aligned(wanted, read, protocol.costs))
    elif count is None:
        count = editdistance.eval(wanted, read)
    if protocol.unit == "gloss":
        return Compared(count, length, word_edits=count, words=length)
    if protocol.unit == "byte":
        return Compared(count, length)
    placed = length if same else sum(map(eq, wanted, read))
    if not protocol.word_rule:
        return Compared(count, length, len(read), placed)
    words = protocol.words(reference)
    word_edits = 0 if same else editdistance.eval(words, protocol.words(hypothesis))
    return Compared(count, length, len(read), placed, word_edits, len(words))

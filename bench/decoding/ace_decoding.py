"""Reading a classifier that says each label in one frame: nothing is merged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.decoding.greedy import greedy
from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from torch import Tensor

    from bench.decoding.decoded import Decoded


def unmerged(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, T, C) by the best class of each valid frame, blanks dropped.

    As Xie et al. (CVPR 2019) read what aggregation cross-entropy trained: a label twice in a row is
    two labels.
    """
    found = greedy(logits, lengths)
    return replace(found, labels=[frames[frames != BLANK] for frames in found.path])

"""Greedy (best-path) CTC decoding, vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.nn.ctc import BLANK, valid_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Decoded:
    """A batch of N decodings.

    `labels` has one array of classes (blank removed, repeats merged) a sample, `path` (N, T) the
    best class of each frame (blank on padding), `confidence` (N,) the probability of that path.
    """

    labels: list[NDArray[np.int64]]
    path: NDArray[np.int64]
    confidence: NDArray[np.float32]


def greedy(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, T, C) by the best class of each valid frame (Graves et al. 2006, § 3.2)."""
    best, path = logits.float().log_softmax(-1).max(-1)
    valid = valid_frames(lengths, logits.shape[1])
    path = path.masked_fill(~valid, BLANK)
    confidence = best.masked_fill(~valid, 0).sum(1).exp()
    frames = path.cpu().numpy()
    starts = frames != BLANK
    starts[:, 1:] &= frames[:, 1:] != frames[:, :-1]
    labels = np.split(frames[starts], np.cumsum(starts.sum(1))[:-1])
    return Decoded(labels, frames, confidence.cpu().numpy())

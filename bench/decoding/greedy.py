"""Greedy (best-path) CTC decoding, vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from bench.nn.ctc import BLANK, valid_frames

if TYPE_CHECKING:
    import numpy as np
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
    below = logits.float() - logits.float().amax(-1, keepdim=True)
    # At the best class, log-softmax is minus the logarithm of this sum.
    log_sums = below.exp().sum(-1).log_()
    valid = valid_frames(lengths, logits.shape[1])
    path = _best(below).masked_fill_(~valid, BLANK)
    confidence = log_sums.masked_fill_(~valid, 0).sum(1).neg_().exp_()
    frames = path.cpu().numpy()
    starts = frames != BLANK
    starts[:, 1:] &= frames[:, 1:] != frames[:, :-1]
    shown = frames[starts]
    bounds = [0, *starts.sum(1).cumsum().tolist()]
    labels = [shown[start:end] for start, end in pairwise(bounds)]
    return Decoded(labels, frames, confidence.cpu().numpy())


def _best(below: Tensor) -> Tensor:
    """Return the first class that is 0 below the best, (N, T)."""
    if below.is_cuda:
        return below.argmax(-1)
    # NumPy stops at the first True; torch's argmax takes four times as long.
    return torch.from_numpy((below.detach().numpy() == 0).argmax(-1))

"""Greedy decoding of each family, vectorized."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.decoding.algorithms.decoded import Decoded, collapse
from bench.nn.ctc_functions import BLANK
from bench.nn.feedback import EOS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def decode_ctc(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, T, C) by the best class of each valid frame (Graves et al. 2006, § 3.2).

    Repeated labels are merged, then blanks removed.
    """
    logits = logits.detach().float()
    below = logits - logits.amax(-1, keepdim=True)
    path = _first_zero(below)
    # At the best class, log-softmax is minus the logarithm of this sum. In place: memory is time.
    scores = below.exp_().sum(-1).log_().neg_().cpu().numpy()
    counts = lengths.numpy()
    padding = np.arange(path.shape[1]) >= counts[:, np.newaxis]
    path[padding] = BLANK
    scores[padding] = 0
    return Decoded(collapse(path), path, np.exp(scores.sum(1)), scores, counts)


def decode_ace(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, T, C) by the best class of each valid frame; nothing is merged.

    As Xie et al. (CVPR 2019) read what aggregation cross-entropy trained: the same label in two
    frames in a row is two labels.
    """
    decoded = decode_ctc(logits, lengths)
    return replace(decoded, labels=[frames[frames != BLANK] for frames in decoded.path])


def decode_seq2seq(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, S, C) by the best class of each step before the first end of sequence.

    `path` is the end of sequence from there on; `confidence` is the probability of the labels and
    of their end.
    """
    logits = logits.detach().float()
    steps = torch.arange(logits.shape[1], device=logits.device)
    valid = lengths.to(logits.device, non_blocking=True).unsqueeze(1)
    best = logits.log_softmax(-1).max(-1)
    # A sequence without an end is as long as its valid steps.
    end = torch.where(best.indices == EOS, steps, valid).amin(1, keepdim=True)
    path = best.indices.masked_fill(steps >= end, EOS).cpu().numpy()
    # The step of the end counts, unless it is padding.
    behind = (steps > end) | (steps >= valid)
    scores = best.values.masked_fill(behind, 0)
    return Decoded(
        labels=[row[:last] for row, last in zip(path, end.squeeze(1).tolist(), strict=True)],
        path=path,
        confidence=scores.sum(1).exp().cpu().numpy(),
        scores=scores.cpu().numpy(),
        lengths=lengths.numpy(),
    )


def _first_zero(below: Tensor) -> NDArray[np.int64]:
    """Return the first class (N, T) that is 0 below the best."""
    # NumPy stops at the first True; torch's argmax on a CPU takes four times as long.
    best: NDArray[np.int64] = (
        below.argmax(-1).cpu().numpy() if below.is_cuda else (below.numpy() == 0).argmax(-1)
    )
    return best

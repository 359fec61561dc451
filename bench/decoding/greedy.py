"""Greedy (best-path) CTC decoding, vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.decoding.decoded import Decoded, read
from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def greedy(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, T, C) by the best class of each valid frame (Graves et al. 2006, § 3.2)."""
    logits = logits.detach().float()
    below = logits - logits.amax(-1, keepdim=True)
    path = _best(below)
    # At the best class, log-softmax is minus the logarithm of this sum. In place: memory is time.
    scores = below.exp_().sum(-1).log_().neg_().cpu().numpy()
    counts = lengths.cpu().numpy()
    padding = np.arange(path.shape[1]) >= counts[:, np.newaxis]
    path[padding] = BLANK
    scores[padding] = 0
    return Decoded(read(path), path, np.exp(scores.sum(1)), scores, counts)


def _best(below: Tensor) -> NDArray[np.int64]:
    """Return the first class that is 0 below the best, (N, T)."""
    # NumPy stops at the first True; torch's argmax on a CPU takes four times as long.
    best: NDArray[np.int64] = (
        below.argmax(-1).cpu().numpy() if below.is_cuda else (below.numpy() == 0).argmax(-1)
    )
    return best

"""Reading a network that emits symbols: up to its first end, vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bench.decoding.decoded import Decoded
from bench.nn.feedback import EOS

if TYPE_CHECKING:
    from torch import Tensor


def until_end(logits: Tensor, lengths: Tensor) -> Decoded:
    """Decode logits (N, S, C) by the best class of each step before the first EOS.

    `path` is EOS behind it; `confidence` is the probability of the symbols and of their end.
    """
    steps = torch.arange(logits.shape[1], device=logits.device)
    best = logits.float().log_softmax(-1).max(-1)
    # A sequence that never ends is all of its steps.
    end = torch.where(best.indices == EOS, steps, lengths.unsqueeze(1)).amin(1, keepdim=True)
    path = best.indices.masked_fill(steps >= end, EOS).cpu().numpy()
    scores = best.values.masked_fill(steps > end, 0)
    return Decoded(
        labels=[row[:last] for row, last in zip(path, end.squeeze(1).tolist(), strict=True)],
        path=path,
        confidence=scores.sum(1).exp().cpu().numpy(),
        scores=scores.cpu().numpy(),
        lengths=lengths.cpu().numpy(),
    )

"""Contrastive loss of characters in two contexts."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.nn.feedback import EOS

_MINUS_INFINITY = -1e30


def character_contrast(embeddings: Tensor, labels: Tensor, tau: float) -> Tensor:
    """Return the contrastive loss (N,) of unit embeddings (N, M, E) of characters (N, M).

    With A(m) all characters but m, and P(m) those of them with the label of m,
    L = Σ_m -1/|P(m)| Σ_{p∈P(m)} log(exp(z_m·z_p/τ) / Σ_{a∈A(m)} exp(z_m·z_a/τ)). EOS and padding
    (label EOS) are in neither set; a character without a positive adds nothing.

    Source: Zhang et al. (ConCLR, AAAI 2022).
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        similar = embeddings @ embeddings.transpose(1, 2) / tau
    real = labels != EOS
    itself = torch.eye(labels.shape[1], dtype=torch.bool, device=labels.device)
    others = real.unsqueeze(1) & ~itself
    same = others & (labels.unsqueeze(2) == labels.unsqueeze(1))
    whole = similar.masked_fill(~others, _MINUS_INFINITY).logsumexp(2, keepdim=True)
    shares = (similar - whole).masked_fill(~same, 0).sum(2)
    return -(shares / same.sum(2).clamp(min=1)).sum(1)

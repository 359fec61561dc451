"""Classifiers that losses put on top of features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class CosineHead(nn.Module):
    """Scaled cosines s·cos θ between features and class weights, without bias.

    The classifier of RadialCTC (Min et al., ECCV 2022): logits (…, classes) in [-s, s].
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_normal_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Map (…, features) to (…, classes)."""
        return self.scale * functional.linear(unit(features), unit(self.weight))


def unit(vectors: Tensor) -> Tensor:
    """Scale (…, D) to length 1; the zero vector stays zero, with a finite gradient."""
    return functional.normalize(vectors, dim=-1, eps=1e-6)

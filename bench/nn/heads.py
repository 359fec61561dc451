"""The classifiers of the losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch.autograd.function import BackwardCFunction


class CosineHead(nn.Module):
    """Scaled cosines s·cos θ between features and class weights, without bias.

    The classifier of RadialCTC (Min et al., ECCV 2022): logits (…, classes) in [-s, s].

    Args:
        features: The feature dimension D.
        classes: The number of classes C.
        scale: s.
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_normal_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Map (…, features) to (…, classes)."""
        return self.scale * cosines(features, unit(self.weight))


class UnitHead(nn.Module):
    """A linear classifier with unit weights and without bias; features keep their length.

    Args:
        features: The feature dimension D.
        classes: The number of classes C.

    Source: Hao et al., "Self-Mutual Distillation Learning for Continuous Sign Language Recognition"
    (ICCV 2021).
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Map (…, features) to logits (…, classes)."""
        return functional.linear(features, unit(self.weight))


class AuxiliaryHead(nn.Module):
    """A classifier with an auxiliary module that only training uses; `forward` classifies.

    Args:
        classifier: From features (…, D) to logits (…, C).
        auxiliary: A module that a loss applies to other features or for another purpose.
    """

    def __init__(self, classifier: nn.Module, auxiliary: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier
        self.auxiliary = auxiliary

    def forward(self, features: Tensor) -> Tensor:
        """Map (…, features) to logits (…, classes)."""
        logits: Tensor = self.classifier(features)
        return logits


class ProjectedHead(AuxiliaryHead):
    """A linear classifier with a projection for a contrastive loss.

    The projection has two layers with a ReLU, as in SimCLR (Chen et al., ICML 2020).

    Args:
        features: The feature dimension D.
        classes: The number of classes C.
        embedding: The dimension of the projection.
    """

    def __init__(self, features: int, classes: int, embedding: int) -> None:
        projection = nn.Sequential(
            nn.Linear(features, features), nn.ReLU(), nn.Linear(features, embedding)
        )
        super().__init__(nn.Linear(features, classes), projection)

    def embed(self, features: Tensor) -> Tensor:
        """Map (…, features) to unit vectors (…, embedding), float32."""
        return unit(self.auxiliary(features).float())


_SHORTEST = 1e-6


def unit(vectors: Tensor) -> Tensor:
    """Scale (…, D) to length 1; the zero vector stays zero, with a finite gradient."""
    return functional.normalize(vectors, dim=-1, eps=_SHORTEST)


def cosines(features: Tensor, directions: Tensor) -> Tensor:
    """Return the cosines (…, classes) of `features` (…, D) with unit vectors (classes, D).

    In float32 also under autocast, because RadialCTC's angles require more precision than bfloat16.
    The cosine with a zero vector is 0.
    """
    with torch.autocast(features.device.type, enabled=False):
        values: Tensor = _Cosines.apply(features.float(), directions.float())
        return values


class _Cosines(torch.autograd.Function):
    """Cosines as products divided by norms, which takes less memory than normalized features.

    ∂ cos θ / ∂x = (w - cos θ · x/|x|) / |x|.
    """

    @staticmethod
    def forward(ctx: BackwardCFunction, features: Tensor, directions: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(features, dim=-1, keepdim=True).clamp(min=_SHORTEST)
        values = (features @ directions.T).div_(lengths)
        ctx.save_for_backward(features, directions, lengths, values)
        return values

    @staticmethod
    def backward(ctx: BackwardCFunction, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        features, directions, lengths, values = tuple(ctx.saved_tensors)
        scaled = gradients[0] / lengths
        # Shorter vectors are divided by a constant, which has no gradient.
        inward = (scaled * values).sum(-1, keepdim=True).div_(lengths)
        inward.masked_fill_(lengths <= _SHORTEST, 0)
        # Also where the backward pass runs under autocast: 1 / _SHORTEST exceeds float16.
        with torch.autocast(features.device.type, enabled=False):
            ahead = (scaled @ directions).addcmul_(features, inward, value=-1)
            return ahead, scaled.flatten(0, -2).T @ features.flatten(0, -2)

"""RadialCTC: CTC on a hypersphere, with the share of non-blank frames as a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, ClassVar, cast

from bench.components import Loss, Output
from bench.schema import Positive, Share

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.nn.heads import CosineHead


@dataclass(frozen=True)
class RadialCTC(Loss):
    """Normalised features and weights, pseudo-labels from perturbed blank angles.

    Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022): the radial term
    (cross-entropy of the unperturbed logits against the posteriors of the perturbed ones) plus λ1
    times the angle and λ2 times the centre regularisation. Radial and centre term are summed over
    the batch and divided by its number of target labels.

    `scale` is s, `beta` is β in units of π, `eta` is η, the ratio of non-blank frames in 0…1.
    The paper prints no s; 16 is the first author's example.
    """

    name: ClassVar[str] = "radial-ctc"
    accepts: ClassVar[Output] = "frames"

    scale: Positive = 16.0
    eta: Share = 0.2
    beta: float = 0.2
    lambda1: float = 1.0
    lambda2: float = 1.0

    def head(self, features: int, classes: int) -> nn.Module:
        """Return a cosine classifier without bias."""
        from bench.nn.heads import CosineHead

        return CosineHead(features, classes, self.scale)

    def objective(
        self,
        head: nn.Module,
        features: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
    ) -> Tensor:
        """Return the full objective of the paper."""
        from bench.nn.ctc import posteriors
        from bench.nn.heads import unit

        weights = unit(cast("CosineHead", head).weight)
        vectors = unit(features.float())
        cosines = vectors @ weights.T
        log_probs = (self.scale * cosines).log_softmax(-1)

        perturbed = self.perturbed(cosines.detach(), lengths, targets, target_lengths)
        pseudo_labels = posteriors(perturbed, lengths, targets, target_lengths)
        radial = -(pseudo_labels * log_probs).sum()
        angle = (weights[1:] @ weights[0] - cos(self.beta * pi)).square().sum()
        centre = self.centre(vectors, weights, log_probs, lengths, targets, target_lengths)
        labels = target_lengths.sum().clamp(min=1)
        return (radial + self.lambda2 * centre) / labels + self.lambda1 * angle

    def perturbed(
        self, cosines: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor
    ) -> Tensor:
        """Return the logits (N, T, C) whose blank angle is shifted by m, one m a sequence.

        U + ⌊(T - U)·η⌋ frames are left closer to a label of the target than to blank. m is the mean
        of the two differences θ_b - min θ_l on either side of that boundary, with its sign turned.
        Shifted angles stay in [0, π], where the cosine would otherwise fold them back. A target
        without labels is not shifted.
        """
        import torch

        from bench.nn.ctc import BLANK, valid_frames

        angles = cosines.clamp(-1, 1).arccos()
        blank = angles[..., BLANK]
        labels = targets.unsqueeze(1).expand(-1, angles.shape[1], -1)
        padding = ~valid_frames(target_lengths, targets.shape[1]).unsqueeze(1)
        nearest = angles.gather(2, labels).masked_fill(padding, torch.inf).amin(2)
        nearest = nearest.where(target_lengths.unsqueeze(1) > 0, blank)
        difference = (blank - nearest).masked_fill(
            ~valid_frames(lengths, angles.shape[1]), -torch.inf
        )
        ranked = difference.sort(1, descending=True).values
        spare = (lengths - target_lengths).clamp(min=0)
        # In double precision and a hair up: 0.29 · 100 must not become 28.
        labelled = (spare.double() * self.eta + 1e-9).long()
        kept = (target_lengths + labelled).clamp(max=lengths)
        boundary = torch.stack([kept - 1, kept.clamp(max=lengths - 1)], 1).clamp(min=0)
        shift = -ranked.gather(1, boundary).mean(1, keepdim=True)
        shifted = (blank + shift).clamp(0, pi).cos().unsqueeze(-1)
        return self.scale * torch.cat([shifted, cosines[..., 1:]], -1)

    def centre(
        self,
        vectors: Tensor,
        weights: Tensor,
        log_probs: Tensor,
        lengths: Tensor,
        targets: Tensor,
        target_lengths: Tensor,
    ) -> Tensor:
        """Return the summed distances of key-frame features to the weights of their classes.

        A label's key frame is its most probable one within the most probable alignment.
        """
        import torch

        from bench.nn.ctc import best_alignment

        positions = torch.arange(targets.shape[1], device=targets.device)
        shown = best_alignment(log_probs, lengths, targets, target_lengths)
        segments = shown.unsqueeze(1) == positions.view(1, -1, 1)
        labelled = (
            log_probs.detach()
            .transpose(1, 2)
            .gather(1, targets.unsqueeze(2).expand(-1, -1, log_probs.shape[1]))
        )
        key_frames = labelled.masked_fill(~segments, -torch.inf).argmax(2)
        index = key_frames.unsqueeze(2).expand(-1, -1, vectors.shape[2])
        offsets = vectors.gather(1, index) - weights[targets]
        distances = (offsets.square().sum(2) + 1e-12).sqrt()
        return (distances * segments.any(2)).sum()

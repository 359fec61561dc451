"""RadialCTC: CTC on a hypersphere, with the share of non-blank frames as a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from bench.core.components import FrameLoss
from bench.core.schema import Positive, Share

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import FeatureDims, Features, Targets
    from bench.nn.heads import CosineHead


@dataclass(frozen=True)
class RadialCTC(FrameLoss):
    """Normalised features and weights, pseudo-labels from perturbed blank angles.

    Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022): the radial term
    (cross-entropy of the unperturbed logits against the posteriors of the perturbed ones) plus λ1
    times the angle and λ2 times the center regularisation. Radial and center term are summed over
    the batch and divided by its number of target labels.

    `scale` is s, `beta` is β in units of π, `eta` is η, the ratio of non-blank frames in 0…1.
    The paper prints no s; 16 is the first author's example. `center` chooses between the distances
    of the printed formula and their squares, as in the first author's code.
    """

    name: ClassVar[str] = "radial-ctc"
    version: ClassVar[int] = 2

    scale: Positive = 16.0
    eta: Share = 0.2
    beta: float = 0.2
    lambda1: float = 1.0
    lambda2: float = 1.0
    center: Literal["distance", "square"] = "distance"

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return a cosine classifier without bias."""
        from bench.nn.heads import CosineHead

        return CosineHead(feature_dims.sequence, classes, self.scale)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the full objective of the paper."""
        from bench.nn.ctc_functions import posteriors
        from bench.nn.heads import cosines, unit

        weights = unit(cast("CosineHead", head).weight)
        frames = features.sequence.float()
        found = cosines(frames, weights)
        log_probs = (self.scale * found).log_softmax(-1)

        perturbed = self.perturbed(found.detach(), targets)
        pseudo_labels = posteriors(perturbed, *targets)
        radial = -(pseudo_labels.flatten() @ log_probs.flatten())
        angle = (weights[1:] @ weights[0] - cos(self.beta * pi)).square().sum()
        center = self.key_frame_distances(frames, weights, log_probs, targets)
        total = targets.label_lengths.sum().clamp(min=1)
        return (radial + self.lambda2 * center) / total + self.lambda1 * angle

    def perturbed(self, cosines: Tensor, targets: Targets) -> Tensor:
        """Return the logits (N, T, C) whose blank angle is shifted by m, one m a sequence.

        U + ⌊(T - U)·η⌋ frames are left closer to a label of the target than to blank. m is the mean
        of the two differences θ_b - min θ_l on either side of that boundary, with its sign turned.
        Shifted angles stay in [0, π], where the cosine would otherwise fold them back. A target
        without labels is not shifted.
        """
        import torch

        from bench.nn.ctc_functions import BLANK, valid_frames

        lengths, labels, label_lengths = targets
        blank = cosines[..., BLANK].clamp(-1, 1).arccos()
        # Padding repeats the first label: it brings no other angle.
        candidates = labels.where(valid_frames(label_lengths, labels.shape[1]), labels[:, :1])
        candidates = candidates.unsqueeze(1).expand(-1, cosines.shape[1], -1)
        nearest = cosines.gather(2, candidates).amax(2).clamp(-1, 1).arccos()
        nearest = nearest.where(label_lengths.unsqueeze(1) > 0, blank)
        difference = (blank - nearest).masked_fill(
            ~valid_frames(lengths, cosines.shape[1]), -torch.inf
        )
        ranked = difference.sort(1, descending=True).values
        spare = (lengths - label_lengths).clamp(min=0)
        # In double precision and a hair up: 0.29 · 100 must not become 28.
        labelled = (spare.double() * self.eta + 1e-9).long()
        kept = (label_lengths + labelled).clamp(max=lengths)
        boundary = torch.stack([kept - 1, kept.clamp(max=lengths - 1)], 1).clamp(min=0)
        shift = -ranked.gather(1, boundary).mean(1, keepdim=True)
        logits = self.scale * cosines
        logits[..., BLANK] = self.scale * (blank + shift).clamp(0, pi).cos()
        return logits

    def key_frame_distances(
        self,
        features: Tensor,
        weights: Tensor,
        log_probs: Tensor,
        targets: Targets,
    ) -> Tensor:
        """Return the sum over key frames of how far their features are from their classes' weights.

        A label's key frame is its most probable one within the most probable alignment.
        """
        import torch
        from torch.nn import functional

        from bench.nn.heads import unit
        from bench.nn.lattice import best_alignment, key_frames

        labels = targets.labels
        shown = best_alignment(log_probs, *targets)
        frames, present = key_frames(log_probs.detach(), shown, labels)
        size, length, _ = features.shape
        rows = frames + length * torch.arange(size, device=frames.device).unsqueeze(1)
        # Not weights[labels]: on several threads its gradient adds up in any order.
        centers = functional.embedding(labels, weights)
        offsets = unit(functional.embedding(rows, features.flatten(0, 1))) - centers
        squares = offsets.square().sum(2)
        distances = squares if self.center == "square" else (squares + 1e-12).sqrt()
        return (distances * present).sum()

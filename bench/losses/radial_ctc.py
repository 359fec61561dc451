"""RadialCTC: CTC on a hypersphere, with the ratio of non-blank frames as a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from bench.core.errors import BenchError
from bench.core.schema import Fraction, PositiveFloat
from bench.losses.base import FrameLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import FeatureDims, Features, Targets
    from bench.nn.heads import CosineHead


@dataclass(frozen=True)
class RadialCTC(FrameLoss):
    """CTC on unit features and unit weights, with pseudo-labels from perturbed blank angles.

    The radial term is the cross-entropy of the unperturbed logits against the alignment posteriors
    of the perturbed ones, divided by the number of target labels of the batch. λ1 times an angle
    term and λ2 times a center term are added.

    Args:
        scale: s, the factor of the cosines. The paper prints none; 16 is the example in the first
            author's code.
        eta: η, the ratio of frames that are not blank, from 0 to 1.
        beta: The angle β between blank and the other classes, in units of π; 0.2 in the paper.
        lambda1: λ1, the weight of the angle term; 1 in the paper.
        lambda2: λ2, the weight of the center term; in the paper 1 on digits, 0.1 elsewhere.
        center: Whether the center term sums distances, as the paper prints it, or their squares.
            Read with `variant = "paper"` only.
        variant: "paper" computes the printed terms: the squared deviations from cos β are summed
            over the classes, and distances are summed over the key frames of the labels and divided
            by the number of labels. "authors" computes what the first author's code does: the
            deviations are averaged over the classes, and squared distances over key frames; each
            segment of blanks has a key frame too, and a key frame is the frame of its segment with
            the largest cosine, not the largest probability.

    Raises:
        BenchError: `center` is set with `variant = "authors"`, which does not read it.

    Source:
        Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022); for "authors",
        github.com/VIPL-SLP/XV-SLR, modules/criterion/radialctc.py.
    """

    name: ClassVar[str] = "radial-ctc"
    version: ClassVar[int] = 2

    scale: PositiveFloat = 16.0
    eta: Fraction = 0.2
    beta: float = 0.2
    lambda1: float = 1.0
    lambda2: float = 1.0
    center: Literal["distance", "square"] = "distance"
    variant: Literal["paper", "authors"] = "paper"

    def __post_init__(self) -> None:
        """Raise BenchError if `center` has no effect."""
        if self.variant == "authors" and "center" in self.changed():
            raise BenchError(
                "loss 'radial-ctc': center is read with variant = 'paper' only; the authors' code "
                "squares distances, so remove center"
            )

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return a cosine classifier without bias."""
        from bench.nn.heads import CosineHead

        return CosineHead(feature_dims.sequence, classes, self.scale)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the radial term plus the weighted angle and center terms."""
        from bench.nn.ctc_functions import posteriors
        from bench.nn.global_batch import global_mean
        from bench.nn.heads import cosines, unit

        weights = unit(cast("CosineHead", head).weight)
        frames = features.sequence.float()
        similarity = cosines(frames, weights)
        log_probs = (self.scale * similarity).log_softmax(-1)
        pseudo_labels = posteriors(self.perturbed(similarity.detach(), targets), *targets)
        radial = -(pseudo_labels.flatten() @ log_probs.flatten())
        deviations = (weights[1:] @ weights[0] - cos(self.beta * pi)).square()
        squares, present = self.key_frame_squares(frames, weights, similarity, log_probs, targets)
        total = targets.label_lengths.sum()
        if self.variant == "authors":
            # The authors clamp the weighted squares, not the mean.
            bounded = (self.lambda2 * squares).clamp(1e-12, 1e12)
            center = global_mean((bounded * present).sum(), present.sum())
            return global_mean(radial, total) + self.lambda1 * deviations.mean() + center
        distances = squares if self.center == "square" else (squares + 1e-12).sqrt()
        center = (distances * present).sum()
        aligned = global_mean(radial + self.lambda2 * center, total)
        return aligned + self.lambda1 * deviations.sum()

    def perturbed(self, cosines: Tensor, targets: Targets) -> Tensor:
        """Return the logits (N, T, C) whose blank angle is shifted by m, one m per sequence.

        After the shift, U + ⌊(T - U)·η⌋ frames are closer to a label of the target than to blank. m
        is minus the mean of the two differences θ_b - min θ_l on both sides of that boundary.
        Shifted angles are clipped to [0, π], because the cosine would fold them back. A target
        without labels is not shifted.
        """
        import torch

        from bench.nn.ctc_functions import BLANK, valid_frames

        lengths, labels, label_lengths = targets
        device = cosines.device
        blank = cosines[..., BLANK].clamp(-1, 1).arccos()
        # Padding repeats the first label, which adds no angle.
        labelled = valid_frames(label_lengths, labels.shape[1], device)
        candidates = labels.where(labelled, labels[:, :1])
        candidates = candidates.unsqueeze(1).expand(-1, cosines.shape[1], -1)
        nearest = cosines.gather(2, candidates).amax(2).clamp(-1, 1).arccos()
        nearest = nearest.where(labelled[:, :1], blank)
        valid = valid_frames(lengths, cosines.shape[1], device)
        difference = (blank - nearest).masked_fill(~valid, -torch.inf)
        ranked = difference.sort(1, descending=True).values
        spare = (lengths - label_lengths).clamp(min=0)
        # In double precision and rounded up slightly: 0.29 · 100 must not become 28.
        extra = (spare.double() * self.eta + 1e-9).long()
        kept = (label_lengths + extra).clamp(max=lengths)
        boundary = torch.stack([kept - 1, kept.clamp(max=lengths - 1)], 1).clamp(min=0)
        ends = ranked.gather(1, boundary.to(device, non_blocking=True))
        shift = -ends.mean(1, keepdim=True)
        logits = self.scale * cosines
        logits[..., BLANK] = self.scale * (blank + shift).clamp(0, pi).cos()
        return logits

    def key_frame_squares(
        self,
        features: Tensor,
        weights: Tensor,
        cosines: Tensor,
        log_probs: Tensor,
        targets: Targets,
    ) -> tuple[Tensor, Tensor]:
        """Return the squared distances (N, K) of key frames from the weights of their classes.

        The second tensor (N, K) says which segments of the most probable alignment have frames. In
        the paper's variant the K = U segments are those of the labels, in the authors' variant the
        K = 2U + 1 segments are those of blanks too.
        """
        import torch
        from torch.nn import functional

        from bench.nn.heads import unit
        from bench.nn.lattice import best_alignment, blanks_included, key_frames

        alignment, classes, scores = best_alignment(log_probs, *targets), targets.labels, log_probs
        if self.variant == "authors":
            alignment, classes = blanks_included(alignment, targets)
            scores = cosines
        frames, present = key_frames(scores.detach(), alignment, classes)
        size, length, _ = features.shape
        rows = frames + length * torch.arange(size, device=frames.device).unsqueeze(1)
        # Not weights[classes]: on several threads its gradient adds up in any order.
        centers = functional.embedding(classes, weights)
        offsets = unit(functional.embedding(rows, features.flatten(0, 1))) - centers
        return offsets.square().sum(2), present

"""Aggregation cross-entropy: how often each class occurs, not where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.types import DecoderFamily
from bench.losses.base import FrameLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class ACE(FrameLoss):
    """Cross-entropy between the class counts of a target and of the network's output.

    L = -Σ N̄_k log ȳ_k, where ȳ is the mean of the softmax over the T valid frames and N̄ = N / T the
    share of each class in the target, with T - U blanks. The loss is averaged over the batch. The
    order of the labels has no influence. One label takes one frame, so decoding drops blanks and
    merges no repeats, as in the authors' code.

    Source:
        Xie et al., "Aggregation Cross-Entropy for Sequence Recognition" (CVPR 2019).
    """

    name: ClassVar[str] = "ace"
    decoder: ClassVar[DecoderFamily] = "ace"

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N; infeasible targets add nothing."""
        from bench.nn.global_batch import sample_mean

        losses = self.losses(head(features.sequence).float(), targets)
        return sample_mean(losses.where(self.feasible(targets), 0))

    def feasible(self, targets: Targets) -> Tensor:
        """Return whether each sample (N,) has a frame for every label: T ≥ U."""
        feasible = targets.lengths >= targets.label_lengths
        return feasible.to(targets.labels.device, non_blocking=True)

    def losses(self, logits: Tensor, targets: Targets) -> Tensor:
        """Return -Σ N̄_k log ȳ_k (N,) of logits (N, T, C)."""
        import torch

        from bench.nn.ctc_functions import BLANK, valid_frames

        labels = targets.labels
        lengths = targets.lengths.to(labels.device, non_blocking=True)
        label_lengths = targets.label_lengths.to(labels.device, non_blocking=True)
        padding = ~valid_frames(lengths, logits.shape[1]).unsqueeze(2)
        log_probs = logits.log_softmax(-1).masked_fill(padding, -torch.inf)
        # In the logarithm: the probability of a class may be 0 in every frame.
        mean = log_probs.logsumexp(1) - lengths.to(logits.dtype).log().unsqueeze(1)
        # The sum over classes of N_k log ȳ_k is one over the labels and the blanks.
        labelled = valid_frames(label_lengths, labels.shape[1])
        of_labels = mean.gather(1, labels).where(labelled, 0).sum(1)
        of_blanks = (lengths - label_lengths) * mean[:, BLANK]
        return -(of_labels + of_blanks) / lengths

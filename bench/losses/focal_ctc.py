"""Focal CTC: lower weights for samples that are recognized already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import NonNegativeFloat, PositiveFloat
from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class FocalCTC(CTC):
    """CTC with the focal weight α (1 - p)^γ of each target's probability p.

    L = α (1 - p)^γ (-log p), averaged over the batch. -log p is that of the whole target and not
    divided by its length, so that p is a probability. Infeasible targets add nothing.

    Args:
        alpha: α, the weight of all samples.
        gamma: γ, how much less a sample of high probability weighs; 0 weighs all alike. The
            defaults are those of the "enhanced CTC" of a public CRNN.

    Source:
        Feng, Yao and Zhang, "Focal CTC Loss for Chinese Optical Character Recognition on Unbalanced
        Datasets" (Complexity, 2019).
    """

    name: ClassVar[str] = "focal-ctc"

    alpha: PositiveFloat = 1.0
    gamma: NonNegativeFloat = 2.0

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N; infeasible targets add nothing."""
        import torch

        from bench.nn.ctc_functions import negative_log_likelihood
        from bench.nn.global_batch import sample_mean

        log_probs = head(features.sequence).float().log_softmax(-1)
        losses = negative_log_likelihood(log_probs, targets)
        # By expm1 nothing cancels for p near 1. At 0 the power has no gradient where γ < 1.
        error = (-torch.expm1(-losses)).clamp(min=1e-12)
        return sample_mean(self.alpha * error**self.gamma * losses)

"""Focal CTC: samples that are read already weigh less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import NonNegative, Positive
from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class FocalCTC(CTC):
    """α (1 - p)^γ (-log p) of each target's probability p: samples read already weigh less.

    Feng, Yao and Zhang, "Focal CTC Loss for Chinese Optical Character Recognition on Unbalanced
    Datasets" (Complexity, 2019). -log p is that of the whole target, not divided by its length, so
    that p is a probability. The defaults are those of the "enhanced CTC" for CRNN.
    """

    name: ClassVar[str] = "focal-ctc"

    alpha: Positive = 1.0
    gamma: NonNegative = 2.0

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N; a target that its frames cannot align adds nothing."""
        import torch

        from bench.nn.ctc_functions import negative_log_likelihood

        log_probs = head(features.sequence).float().log_softmax(-1)
        losses = negative_log_likelihood(log_probs, targets)
        # By expm1 nothing cancels for p near 1. At 0 the power has no gradient where γ < 1.
        misread = (-torch.expm1(-losses)).clamp(min=1e-12)
        return (self.alpha * misread**self.gamma * losses).mean()

"""CTC with label priors, for less peaky alignments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from bench.core.schema import NonNegativeFloat
from bench.losses.base import FrameLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import FeatureDims, Features, Targets
    from bench.nn.priors import PriorHead


@dataclass(frozen=True)
class PriorCTC(FrameLoss):
    """CTC on posteriors divided by the priors of their classes, which makes blanks worth less.

    -log Σ Π_t y_t(π_t) / p(π_t)^α over the paths of the target, divided by the target length and
    averaged over the batch. The quotients are not normalized again, so the loss may be negative.
    The prior p is the mean posterior of the epoch before; the first epoch is plain CTC. Decoding
    reads the posteriors without priors, as in the authors' code.

    Args:
        alpha: α, the exponent of the prior. The authors' script leaves it to the user; 0.3 is
            bench's choice.

    Source:
        Huang et al., "Less Peaky and More Accurate CTC Forced Alignment by Label Priors"
        (ICASSP 2024).
    """

    name: ClassVar[str] = "prior-ctc"

    alpha: NonNegativeFloat = 0.3

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return a linear classifier with bias that keeps the priors."""
        from bench.nn.priors import PriorHead

        return PriorHead(feature_dims.sequence, classes)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of -log of the target's score, per target label."""
        from bench.nn.ctc_functions import per_label

        priors = cast("PriorHead", head)
        logits = head(features.sequence).float()
        if head.training:
            priors.observe(logits.log_softmax(-1), targets.lengths)
        losses = self.losses(logits, priors.log_prior, targets)
        return per_label(losses, targets)

    def on_epoch_end(self, head: nn.Module) -> None:
        """Make the mean posterior of this epoch the prior of the next."""
        cast("PriorHead", head).end_epoch()

    def losses(self, logits: Tensor, log_prior: Tensor, targets: Targets) -> Tensor:
        """Return -log of each target's score (N,), 0 where it is infeasible."""
        from bench.nn.ctc_functions import aligned_frames, negative_log_likelihood

        shift = self.alpha * log_prior
        losses = negative_log_likelihood((logits - shift).log_softmax(-1), targets)
        # Native CTC has the right gradient on normalized frames only, so what normalising them took
        # is given back. The second term is 0 but for rounding, and makes α = 0 exactly CTC.
        log_probs = logits.log_softmax(-1)
        normalizer = (log_probs - shift).logsumexp(-1) - log_probs.logsumexp(-1)
        counted = aligned_frames(targets, logits.shape[1])
        return losses - normalizer.where(counted, 0).sum(1)

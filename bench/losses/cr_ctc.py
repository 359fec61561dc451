"""CR-CTC: consistency between the outputs for two masked views of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import Fraction, NonNegativeFloat, NonNegativeInt
from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Batch, Features, Targets


@dataclass(frozen=True)
class CRCTC(CTC):
    """CTC on two masked views of each sample, plus α times the divergence of their posteriors.

    L = ½ (L_ctc(a) + L_ctc(b)) + α L_cr with L_cr = ½ Σ_t (KL(sg(b) ‖ a) + KL(sg(a) ‖ b)) over all
    valid frames, where sg stops the gradient. Everything is divided by the target length and
    averaged over the batch, so that CTC and L_cr have the weights of the authors' sums.

    Args:
        alpha: α; 0.2 in the paper.
        masks: The number of time masks per view; 5 corresponds to the authors' recipe on twelve
            seconds of speech.
        share: The largest share of the frames that they mask together; 2.5 times 0.15 in the paper.

    Source:
        Yao et al., "CR-CTC: Consistency Regularization on CTC for Improved Speech Recognition"
        (ICLR 2025).
    """

    name: ClassVar[str] = "cr-ctc"

    alpha: NonNegativeFloat = 0.2
    masks: NonNegativeInt = 5
    share: Fraction = 0.375

    def augmented_views(self, batch: Batch) -> Batch:
        """Return two views of the batch, each with masks of its own."""
        from bench.nn.masking import masked_views

        return masked_views(batch, 2, self.masks, self.share)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over 2N rows: the N first views, then the N second views."""
        from bench.nn.ctc_functions import per_label

        return per_label(self.losses(head(features.sequence).float(), targets), targets)

    def losses(self, logits: Tensor, targets: Targets) -> Tensor:
        """Return -log p(target) + α Σ_t KL(sg(other view) ‖ this view), (2N,)."""
        from torch.nn import functional

        from bench.nn.ctc_functions import aligned_frames, negative_log_likelihood

        log_probs = logits.log_softmax(-1)
        losses = negative_log_likelihood(log_probs, targets)
        other = log_probs.detach().roll(len(log_probs) // 2, 0)
        apart = functional.kl_div(log_probs, other, reduction="none", log_target=True).sum(2)
        counted = aligned_frames(targets, logits.shape[1])
        return losses + self.alpha * apart.where(counted, 0).sum(1)

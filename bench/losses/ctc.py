"""CTC, by torch's native kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.components import Loss, Output

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.components import Supervision


@dataclass(frozen=True)
class CTC(Loss):
    """Connectionist temporal classification with a linear classifier.

    Graves et al. (ICML 2006), eq. 8: -log p(l|x), divided by the target length and averaged over
    the batch. A target that its frames cannot align adds nothing.
    """

    name: ClassVar[str] = "ctc"
    accepts: ClassVar[Output] = "frames"

    def head(self, features: int, classes: int) -> nn.Module:
        """Return a linear classifier with bias."""
        from torch import nn

        return nn.Linear(features, classes)

    def objective(self, head: nn.Module, features: Tensor, supervision: Supervision) -> Tensor:
        """Return the mean over N of the negative log-likelihood per target label."""
        from torch.nn import functional

        lengths, targets, target_lengths = supervision
        log_probs = head(features).float().log_softmax(-1).transpose(0, 1)
        return functional.ctc_loss(
            log_probs, targets, lengths, target_lengths, reduction="mean", zero_infinity=True
        )

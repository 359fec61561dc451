"""CTC, by torch's native kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.losses.base import FrameLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class CTC(FrameLoss):
    """Connectionist temporal classification with a linear classifier.

    -log p(l|x), divided by the target length and averaged over the batch. Infeasible targets add
    nothing.

    Source:
        Graves et al., "Connectionist Temporal Classification" (ICML 2006), eq. 8.
    """

    name: ClassVar[str] = "ctc"

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of the negative log-likelihood per target label."""
        from bench.nn.ctc_functions import negative_log_likelihood, per_label

        log_probs = head(features.sequence).float().log_softmax(-1)
        return per_label(negative_log_likelihood(log_probs, targets), targets)

"""EnCTC: CTC with maximum entropy regularization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import NonNegativeFloat
from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class EnCTC(CTC):
    """CTC minus β times the entropy of the alignments.

    L = L_ctc - β H(p(π|l,X)): the entropy term keeps one alignment from taking all the probability.
    Both are divided by the target length and averaged over the batch.

    Args:
        beta: β. The paper's could not be checked; the authors' scripts minimize 0.8 L_ctc - 0.2 H,
            which is 0.8 times this loss with β = 0.25.

    Source:
        Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy
        Regularization" (NeurIPS 2018).
    """

    name: ClassVar[str] = "enctc"

    beta: NonNegativeFloat = 0.25

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of -log p(target) - β H, per target label."""
        from bench.nn.ctc_functions import per_label
        from bench.nn.lattice import alignments, negative_log_likelihood

        log_probs = head(features.sequence).float().log_softmax(-1)
        likelihood, entropy = alignments(log_probs, targets)
        return per_label(negative_log_likelihood(likelihood) - self.beta * entropy, targets)

"""EnEsCTC: EsCTC with maximum entropy regularization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import NonNegativeFloat
from bench.losses.esctc import EsCTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class EnEsCTC(EsCTC):
    """EsCTC minus β times the entropy of the equally spaced alignments.

    The entropy is that of p(π | l, π is spaced, X): alignments beyond the limit have no part in it.

    Args:
        tau: τ, as for `esctc`.
        beta: β, as for `enctc`.

    Source:
        Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy
        Regularization" (NeurIPS 2018).
    """

    name: ClassVar[str] = "enesctc"

    beta: NonNegativeFloat = 0.25

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of -log p(target, spaced) - β H, per target label."""
        from bench.nn.ctc_functions import per_label
        from bench.nn.lattice import negative_log_likelihood
        from bench.nn.spacing import spaced_alignments

        log_probs = head(features.sequence).float().log_softmax(-1)
        likelihood, entropy = spaced_alignments(log_probs, targets, self.tau)
        return per_label(negative_log_likelihood(likelihood) - self.beta * entropy, targets)

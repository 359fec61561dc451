"""CTC, written out in plain torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class CTCReference(CTC):
    """CTC by the forward and backward recursion in plain torch, to check the native kernels.

    It computes the same numbers as `ctc` on any device; `bench docs ctc` explains the recursion.
    """

    name: ClassVar[str] = "ctc-reference"

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of the negative log-likelihood per target label."""
        from bench.nn.ctc_functions import per_label
        from bench.nn.lattice import log_likelihood, negative_log_likelihood

        log_probs = head(features.sequence).float().log_softmax(-1)
        likelihood = log_likelihood(log_probs, targets)
        return per_label(negative_log_likelihood(likelihood), targets)

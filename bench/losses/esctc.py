"""EsCTC: CTC over paths whose labels are spaced about equally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import AtLeastOne
from bench.losses.ctc import CTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Targets


@dataclass(frozen=True)
class EsCTC(CTC):
    """CTC over the alignments whose labels are spaced about equally.

    A segment is the blanks before a label and the label's run. Only paths count of which no segment
    is longer than a limit, nor the blanks after the last one. The loss is divided by the target
    length and averaged over the batch; infeasible targets add nothing, and a target without labels
    has no limit.

    The paper prints the limit τ T/U, which can leave no path at all. This is the ⌊τ (T/U + 1)⌋ of
    the authors' code, with which every feasible target has a path; T is the sample's own length. In
    that code the first segment, and one after a repeated label, may be one frame longer than the
    limit; here the limit holds for every segment.

    Args:
        tau: τ, how many times its equal share of the frames a segment may be long; 1.5 in the
            authors' scripts.

    Source:
        Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy
        Regularization" (NeurIPS 2018).
    """

    name: ClassVar[str] = "esctc"

    tau: AtLeastOne = 1.5

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of -log p(target, spaced), per target label."""
        from bench.nn.ctc_functions import per_label
        from bench.nn.lattice import negative_log_likelihood
        from bench.nn.spacing import spaced_likelihood

        log_probs = head(features.sequence).float().log_softmax(-1)
        likelihood = spaced_likelihood(log_probs, targets, self.tau)
        return per_label(negative_log_likelihood(likelihood), targets)

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
    """CTC without the paths that give one label much more than its share of the frames.

    Liu, Jin and Zhang, "Connectionist Temporal Classification with Maximum Entropy Regularization"
    (NeurIPS 2018): the blanks before a label and its run are a segment, and only paths count none
    of whose segments, nor the blanks behind the last, are longer than a limit. The paper prints
    τ T/U, which can leave no path at all; this is the ⌊τ (T/U + 1)⌋ of the authors' code, which
    never does. T is the sample's own. Divided by the target length and averaged over the batch; a
    target that its frames cannot align adds nothing, one without labels has no limit.
    """

    name: ClassVar[str] = "esctc"

    tau: AtLeastOne = 1.5

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over N of -log p(target, spaced), per target label."""
        from bench.nn.ctc_functions import per_label
        from bench.nn.lattice import cost
        from bench.nn.spacing import spaced_likelihood

        log_probs = head(features.sequence).float().log_softmax(-1)
        likelihood = spaced_likelihood(log_probs, targets, self.tau)
        return per_label(cost(likelihood), targets)

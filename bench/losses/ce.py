"""Cross-entropy of symbols, with a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Seq2SeqLoss
from bench.core.schema import BelowOne, Share

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Feedback, Targets


_IGNORED = -100


@dataclass(frozen=True)
class CE(Seq2SeqLoss):
    """Cross-entropy of each symbol of the target and of its end, with a linear classifier.

    `teacher_forcing` is the probability that a step of training goes on from the target and not
    from what the network read (Williams and Zipser, 1989; Bengio et al., NeurIPS 2015), drawn for
    each step and the whole batch at once. `label_smoothing` is the ε of Szegedy et al. (CVPR 2016):
    that share of the target is spread evenly over all classes. A target that does not fit the
    network's steps adds nothing.
    """

    name: ClassVar[str] = "ce"

    teacher_forcing: Share = 1.0
    label_smoothing: BelowOne = 0.0

    def feedback(self, head: nn.Module, targets: Targets) -> Feedback:
        """Return the teacher."""
        from bench.nn.feedback import TeacherForcing

        return TeacherForcing(head, targets, self.teacher_forcing)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over all symbols and ends of the batch."""
        return self.recognition(head, features.sequence, targets)

    def recognition(self, head: nn.Module, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean cross-entropy of symbols read from features (N, S, D)."""
        from torch.nn import functional

        from bench.nn.feedback import ended, scored

        steps = features.shape[1]
        counted = scored(targets, steps)
        truth = ended(targets, steps).masked_fill(~counted, _IGNORED)
        losses = functional.cross_entropy(
            head(features).float().transpose(1, 2),
            truth,
            label_smoothing=self.label_smoothing,
            reduction="none",
            ignore_index=_IGNORED,
        )
        return losses.sum() / counted.sum().clamp(min=1)

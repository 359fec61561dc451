"""Cross-entropy per output label, with teacher forcing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.schema import BelowOne, Fraction
from bench.losses.base import Seq2SeqLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Features, Feedback, Targets


_IGNORED = -100


@dataclass(frozen=True)
class CE(Seq2SeqLoss):
    """Cross-entropy of each label of the target and of its EOS, with a linear classifier.

    The mean is over all labels and EOS of the batch. Infeasible targets (longer than the network's
    steps) add nothing.

    Args:
        teacher_forcing: The probability that a training step receives the target's label instead of
            the network's own prediction, drawn once per step for the whole batch. With 1 it always
            receives the target.
        label_smoothing: The ε of label smoothing: this share of the target is spread evenly over
            all classes.

    Source:
        Williams and Zipser (1989) for teacher forcing, Bengio et al., "Scheduled Sampling for
        Sequence Prediction with Recurrent Neural Networks" (NeurIPS 2015) for rates below 1;
        Szegedy et al., "Rethinking the Inception Architecture" (CVPR 2016) for label smoothing.
    """

    name: ClassVar[str] = "ce"

    teacher_forcing: Fraction = 1.0
    label_smoothing: BelowOne = 0.0

    def feedback(self, head: nn.Module, targets: Targets) -> Feedback:
        """Return the target's labels or the network's own, as `teacher_forcing` decides."""
        from bench.nn.feedback import TeacherForcing

        return TeacherForcing(head, targets, self.teacher_forcing)

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the mean over all labels and EOS of the batch."""
        return self.recognition(head, features.sequence, targets)

    def recognition(self, head: nn.Module, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean cross-entropy of the labels and EOS of features (N, S, D)."""
        from torch.nn import functional

        from bench.nn.feedback import scored_steps, with_eos
        from bench.nn.global_batch import global_mean

        steps = features.shape[1]
        counted = scored_steps(targets, steps)
        classes = with_eos(targets, steps).masked_fill(~counted, _IGNORED)
        losses = functional.cross_entropy(
            head(features).float().transpose(1, 2),
            classes,
            label_smoothing=self.label_smoothing,
            reduction="none",
            ignore_index=_IGNORED,
        )
        return global_mean(losses.sum(), counted.sum())

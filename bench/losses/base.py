"""The two kinds of losses: those that align frames, and those of output steps."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Loss
from bench.core.types import DecoderFamily, Output

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import FeatureDims, Feedback, Targets


class FrameLoss(Loss):
    """An objective that aligns frames with the labels of the target."""

    accepts: ClassVar[Output] = "frames"
    decoder: ClassVar[DecoderFamily] = "ctc"

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return the classifier: linear with a bias, unless a loss overrides it."""
        return _linear(feature_dims, classes)

    def feasible(self, targets: Targets) -> Tensor:
        """Return whether each sample (N,) has a CTC path: T ≥ U plus one blank per repeat."""
        from bench.nn.ctc_functions import feasible

        return feasible(*targets)


class Seq2SeqLoss(Loss):
    """An objective that compares the output steps with the labels of the target and their EOS."""

    accepts: ClassVar[Output] = "seq2seq"
    decoder: ClassVar[DecoderFamily] = "seq2seq"

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return the classifier: linear with a bias, unless a loss has another."""
        return _linear(feature_dims, classes)

    @abstractmethod
    def feedback(self, head: nn.Module, targets: Targets) -> Feedback:
        """Return the feedback of an autoregressive network in training."""

    def feasible(self, targets: Targets) -> Tensor:
        """Return whether the target and its EOS fit in the steps of each sample (N,)."""
        feasible = targets.lengths > targets.label_lengths
        return feasible.to(targets.labels.device, non_blocking=True)


def _linear(feature_dims: FeatureDims, classes: int) -> nn.Module:
    from torch import nn

    return nn.Linear(feature_dims.sequence, classes)

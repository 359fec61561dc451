"""VAC: auxiliary losses on the visual features below a sequence module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from bench.core.errors import BenchError
from bench.core.schema import Fraction, NonNegativeFloat, PositiveFloat
from bench.core.types import FeatureDims, Features
from bench.losses.base import FrameLoss
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.types import Targets
    from bench.nn.heads import AuxiliaryHead


@dataclass(frozen=True)
class VAC(FrameLoss):
    """CTC on sequence features, with an auxiliary CTC and a distillation on visual features.

    The sum of the CTC of the sequence features, `enhancement` times the loss of an auxiliary
    classifier of the visual features (visual enhancement), and `alignment` times the
    Kullback-Leibler divergence of that classifier's labels from those of the sequence features,
    without blank and without a gradient to the sequence features (visual alignment). Each term is a
    mean over samples, not labels, as in the authors' code; padding, which their divergence
    includes, is left out.

    Args:
        enhancement: The weight of the auxiliary loss; 1 in the authors' code.
        alignment: The weight of the divergence; 10 in the authors' code.
        temperature: The temperature of both distributions in the divergence, which is multiplied by
            its square; 8 in the authors' code.
        auxiliary: The loss of the visual features. Min et al. (ECCV 2022) train this network with
            "radial-ctc" and without the divergence.
        eta: η of `radial-ctc`; read with `auxiliary = "radial-ctc"` only.
        lambda2: λ2 of `radial-ctc`; read with `auxiliary = "radial-ctc"` only.
        shared: Whether both features share one classifier, of unit weights and without bias, which
            the authors' code has for SMKD.

    Raises:
        BenchError: A parameter without effect is set, or two parameters exclude each other.

    Source:
        Min et al., "Visual Alignment Constraint for Continuous Sign Language Recognition" (ICCV
        2021); for `shared`, Hao et al., "Self-Mutual Distillation Learning for Continuous Sign
        Language Recognition" (ICCV 2021).
    """

    name: ClassVar[str] = "vac"
    visual: ClassVar[bool] = True

    enhancement: NonNegativeFloat = 1.0
    alignment: NonNegativeFloat = 10.0
    temperature: PositiveFloat = 8.0
    auxiliary: Literal["ctc", "radial-ctc"] = "ctc"
    eta: Fraction = RadialCTC.eta
    lambda2: float = RadialCTC.lambda2
    shared: bool = False

    def __post_init__(self) -> None:
        """Raise BenchError if a parameter has no effect, or two exclude each other."""
        idle = {"eta", "lambda2"} & self.changed().keys()
        if idle and self.auxiliary == "ctc":
            raise BenchError(
                f"loss 'vac': {min(idle)} is a parameter of radial-ctc; "
                'set auxiliary = "radial-ctc" too'
            )
        if self.shared and self.auxiliary != "ctc":
            raise BenchError(
                "loss 'vac': the classifier of radial-ctc cannot be shared with that of ctc; "
                'set shared = false, or auxiliary = "ctc"'
            )

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return a linear classifier, with the classifier of the visual features beside it.

        Raises:
            BenchError: One classifier is to be shared by features of two sizes.
        """
        from bench.nn.heads import AuxiliaryHead, UnitHead

        if self.shared:
            if feature_dims.sequence != feature_dims.visual:
                raise BenchError(
                    "loss 'vac': shared = true requires a model whose sequence and visual features "
                    f"have one size, not {feature_dims.sequence} and "
                    f"{feature_dims.visual}; set shared = false"
                )
            classifier = UnitHead(feature_dims.sequence, classes)
            return AuxiliaryHead(classifier, classifier)
        visual = FeatureDims(cast("int", feature_dims.visual))
        return AuxiliaryHead(
            CTC().head(feature_dims, classes), self._auxiliary_loss().head(visual, classes)
        )

    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the sum of the three terms, each a mean over N."""
        from bench.nn.ctc_functions import negative_log_likelihood
        from bench.nn.global_batch import sample_mean

        both, visual = cast("AuxiliaryHead", head), cast("Tensor", features.visual)
        logits = both(features.sequence)
        constraint = self.enhancement * self._enhancement(both.auxiliary, visual, targets)
        if self.alignment:
            divergence = self.divergence(both.auxiliary(visual), logits.detach(), targets)
            constraint = constraint + self.alignment * divergence
        log_probs = logits.float().log_softmax(-1)
        return sample_mean(negative_log_likelihood(log_probs, targets)) + constraint

    def divergence(self, visual: Tensor, sequence: Tensor, targets: Targets) -> Tensor:
        """Return the divergence of logits (N, T, C): a mean over frames, then over samples."""
        from bench.nn.ctc_functions import aligned_frames
        from bench.nn.global_batch import sample_mean

        student, teacher = (
            (logits[..., 1:].float() / self.temperature).log_softmax(-1)
            for logits in (visual, sequence)
        )
        frames = (teacher.exp() * (teacher - student)).sum(-1) * self.temperature**2
        counted = aligned_frames(targets, frames.shape[1])
        lengths = targets.lengths.to(frames.device, non_blocking=True)
        return sample_mean(frames.masked_fill(~counted, 0).sum(1) / lengths)

    def _enhancement(self, head: nn.Module, visual: Tensor, targets: Targets) -> Tensor:
        from bench.nn.ctc_functions import negative_log_likelihood
        from bench.nn.global_batch import mean_count, sample_mean

        if self.auxiliary == "ctc":
            log_probs = head(visual).float().log_softmax(-1)
            return sample_mean(negative_log_likelihood(log_probs, targets))
        # RadialCTC averages over labels; times their mean number, it averages over samples.
        labels = mean_count(targets.label_lengths, visual.device)
        return labels * self._auxiliary_loss().objective(head, Features(visual), targets)

    def _auxiliary_loss(self) -> FrameLoss:
        if self.auxiliary == "ctc":
            return CTC()
        return RadialCTC(eta=self.eta, lambda2=self.lambda2)

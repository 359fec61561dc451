"""The contract of losses: of those that align frames, and of those of output steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from unittest import SkipTest

import editdistance
import torch
from torch import Tensor, nn

from bench.core.components import Loss
from bench.core.types import FeatureDims
from bench.decoding.greedy import GreedyDecoder
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.differences import are_close
from bench.testing.double_precision import DetachedError, derivative_difference
from bench.testing.loss_batches import (
    CLASSES,
    DIMS,
    FEASIBLE,
    HARD,
    INFEASIBLE,
    LossBatch,
    Sample,
    both_features,
    draw_loss_batch,
    make_loss_batch,
)
from bench.testing.restored_state import restore_state
from bench.testing.small_training import trained_twice
from bench.testing.timing import loss_milliseconds
from bench.testing.two_devices import compare_with_gpu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.testing.emulated_cuda import EmulatedCuda

_SCALES = (0.0, 1.0, 1e4)
_DUPLICATES = 2
_DESCENT_STEPS = 60
_STEP_SIZE = 0.5
_REMEDY = (
    "leave out infeasible samples by losses.where(self.feasible(targets), 0), also before a "
    "logarithm or a division, and compute logarithms by log_softmax"
)
_INFINITE = (
    "where() keeps the infinite loss of an infeasible sample out of the objective, and not out of "
    "the gradient; make it finite before: zero_infinity=True in torch's ctc_loss, or "
    "bench.nn.ctc_functions.negative_log_likelihood"
)


def loss_checks(loss: Loss | str) -> list[Check]:
    """Return the checks of a loss, for `pytest.mark.parametrize`.

    Args:
        loss: The loss, or its name, with default parameters.
    """
    return LossKit(component_of("loss", loss)).tests()


def check_loss(loss: Loss | str) -> list[CheckResult]:
    """Check a loss, or that of a name with default parameters; return the result of each check."""
    return LossKit(component_of("loss", loss)).run()


class LossKit(ComponentKit[Loss]):
    """What training requires of a loss."""

    seeded = True

    def exercise(self) -> None:
        """Make augmented views of a batch, and compute the objective and its gradients."""
        batch = draw_loss_batch(self.component, FEASIBLE)
        batch.gradients(self._objective(batch))
        self.component.on_epoch_end(batch.head)

    @requires("The classifier maps features (…, D) to logits (…, classes).")
    def head(self) -> None:
        """Compare the shape of the logits of features."""
        torch.manual_seed(0)
        head = self.component.head(FeatureDims(DIMS, DIMS), CLASSES)
        if not isinstance(head, nn.Module):
            raise ContractError(
                f"head() returned a value of type {type(head).__name__}; return a torch.nn.Module"
            )
        for leading in ((), (3,), (2, 7)):
            logits = head(torch.randn(*leading, DIMS))
            if logits.shape != (*leading, CLASSES):
                raise ContractError(
                    f"head(({DIMS}, …), {CLASSES}) maps features {(*leading, DIMS)} to "
                    f"{tuple(logits.shape)}; it has to be {(*leading, CLASSES)}"
                )

    @requires("The objective is one number, and a function of the features.")
    def scalar(self) -> None:
        """Check the type, shape and gradient of the objective."""
        batch = make_loss_batch(self.component, FEASIBLE)
        value = self._objective(batch)
        if not value.requires_grad:
            raise ContractError(
                "the objective has no gradient; compute it from `features` without detach(), "
                "no_grad() or item()"
            )
        if not batch.gradient(value).any():
            raise ContractError(
                "the gradient of all features is zero, so nothing is learned; compute the "
                "objective from head(features.sequence)"
            )

    @requires("The objective and all gradients are finite, also for impossible or empty targets.")
    def finite_loss(self) -> None:
        """Compute the objective of targets that are hard to align, together and alone."""
        for scale in _SCALES:
            for samples in (HARD, *((sample,) for sample in HARD if scale == 1)):
                self._require_finite(samples, scale)

    def _require_finite(self, samples: Sequence[Sample], scale: float) -> None:
        batch = make_loss_batch(self.component, samples, scale=scale)
        value = self._objective(batch)
        values = {"the objective": value.detach(), **batch.gradients(value)}
        for name, each in values.items():
            if each.isfinite().all():
                continue
            if len(samples) > 1:
                for sample in samples:
                    self._require_finite([sample], scale)
            feasible = bool(self.component.feasible(batch.targets).all())
            remedy = _REMEDY if feasible or each is values["the objective"] else _INFINITE
            raise ContractError(
                f"{name} is not finite for {batch.described()}, and features times "
                f"{scale:g}; {remedy}"
            )

    @requires("`feasible` returns one boolean per sample, on the device of the labels.")
    def feasible(self) -> None:
        """Check the mask of feasible samples."""
        for samples in (FEASIBLE, INFEASIBLE, HARD):
            targets = make_loss_batch(self.component, samples).targets
            mask = self.component.feasible(targets)
            if mask.shape != targets.lengths.shape or mask.dtype != torch.bool:
                raise ContractError(
                    f"feasible() returned {mask.dtype} {tuple(mask.shape)} for "
                    f"{len(targets.lengths)} samples; return torch.bool of shape (N,)"
                )
            if samples is FEASIBLE and not mask.any():
                raise ContractError(
                    "feasible() is False for every sample, also for short targets; return True "
                    "where the target fits in the output"
                )

    @requires("A sample whose target is longer than the output adds nothing to the objective.")
    def infeasible_samples(self) -> None:
        """Change the features of infeasible samples, and examine their gradients."""
        batch = make_loss_batch(self.component, (*FEASIBLE, *INFEASIBLE))
        infeasible = ~self.component.feasible(batch.targets)
        if not infeasible.any():
            raise SkipTest("it can align every target")
        value = self._objective(batch)
        gradient = batch.gradient(value)[infeasible]
        if value.isfinite() and not gradient.isfinite().all():
            raise ContractError(
                f"features of infeasible samples have no finite gradient; {_INFINITE}"
            )
        if gradient.any():
            raise ContractError(
                "features of samples with feasible() = False have a gradient; set the losses of "
                "these samples to 0: losses.where(self.feasible(targets), 0)"
            )
        moved = batch.features.detach().clone()
        moved[infeasible] *= -3
        if not are_close(self._objective(batch.of_features(moved)), value):
            raise ContractError(
                "the objective depends on features of samples with feasible() = False; set the "
                "losses of these samples to 0: losses.where(self.feasible(targets), 0)"
            )

    @requires("Padding has no influence: neither its content nor its length.")
    def padding(self) -> None:
        """Compare the objective and gradients of a batch with those under more padding."""
        if self.component.accepts != "frames":
            self._label_padding()
            return
        batch = make_loss_batch(self.component, FEASIBLE)
        value = self._objective(batch)
        gradient = batch.gradient(value)
        frames = batch.features.shape[1]
        for added, content in ((0, 100.0), (3, 100.0), (3, 0.0)):
            longer = batch.padded(added, 2 * bool(added), content)
            other = self._objective(longer)
            what = f"{added} more frames of padding" if added else "other values in the padding"
            if not are_close(other, value):
                raise ContractError(
                    f"the objective is {other.item():.6g} with {what}, {value.item():.6g} "
                    "without; leave out frames from targets.lengths on, by "
                    "bench.nn.ctc_functions.valid_frames"
                )
            changed = longer.gradient(other)
            padding = torch.arange(frames + added) >= batch.targets.lengths.unsqueeze(1)
            if changed[padding].any() or not are_close(changed[:, :frames], gradient):
                raise ContractError(
                    f"gradients are others with {what}; leave out frames from targets.lengths "
                    "on, by bench.nn.ctc_functions.valid_frames"
                )

    def _label_padding(self) -> None:
        batch = make_loss_batch(self.component, FEASIBLE)
        value, other = self._objective(batch), self._objective(batch.padded(0, 2, 0.0))
        if not are_close(other, value):
            raise ContractError(
                f"the objective is {other.item():.6g} with two more columns of padding in "
                f"targets.labels, {value.item():.6g} without; leave out labels from "
                "targets.label_lengths on, by bench.nn.feedback.scored"
            )

    @requires("The order of the samples in a batch does not change the objective.")
    def batch_order(self) -> None:
        """Compare the objective of a batch with that of its samples in another order."""
        batch = make_loss_batch(self.component, FEASIBLE)
        order = [2, 0, 3, 1]
        permuted = batch.rows(order)
        value, other = self._objective(batch), self._objective(permuted)
        if not are_close(other, value):
            raise ContractError(
                f"the objective is {value.item():.6g}, and {other.item():.6g} for the same "
                "samples in another order; let no sample depend on its row"
            )
        rows = batch.of_features(batch.gradient(value)).rows(order).features
        if not are_close(permuted.gradient(other), rows):
            raise ContractError(
                "gradients depend on the order of the samples; let no sample depend on its row"
            )

    @requires("The objective does not grow with the number of samples in a batch.")
    def batch_size(self) -> str | None:
        """Compare the objective of a batch with that of a batch that has each sample twice."""
        batch = make_loss_batch(self.component, FEASIBLE)
        doubled = batch.rows([*range(len(FEASIBLE))] * _DUPLICATES)
        value, other = (float(self._objective(each).detach()) for each in (batch, doubled))
        ratio = other / value if value else 1.0
        if abs(ratio - _DUPLICATES) < 1e-3:  # noqa: PLR2004
            raise ContractError(
                "the objective doubles when each sample is in the batch twice, so that the "
                "learning rate depends on the batch size; take the mean over the batch by "
                "bench.nn.global_batch.sample_mean"
            )
        if not math.isclose(ratio, 1, rel_tol=1e-3):
            return (
                f"a batch that has each sample twice has {ratio:.3g} times the objective, so "
                "samples are compared with each other; results depend on the batch size"
            )
        return None

    @requires("The same seed gives the same bits.")
    def determinism(self) -> None:
        """Compute views, objective and gradients twice from one seed."""
        values = []
        for _ in range(2):
            batch = make_loss_batch(self.component, FEASIBLE)
            value = self._objective(batch)
            values.append((batch.features, value, batch.gradient(value)))
        if not all(map(torch.equal, *values)):
            raise ContractError(
                "two computations from one seed differ; draw from torch's global generator alone, "
                "and keep nothing from call to call"
            )

    @requires("Gradient descent on features and classifier leads to the targets.")
    def descent(self) -> None:
        """Take steps of descent, and compare what is decoded of the logits with the targets."""
        batch = make_loss_batch(self.component, FEASIBLE)
        before = self._errors(batch)
        for step in range(_DESCENT_STEPS):
            leaves = [batch.features, *batch.head.parameters()]
            value = self._objective(batch)
            gradients = torch.autograd.grad(value, leaves, allow_unused=True)
            size = _STEP_SIZE * (1 - step / _DESCENT_STEPS)
            with torch.no_grad():
                for leaf, gradient in zip(leaves, gradients, strict=True):
                    if gradient is not None:
                        leaf.sub_(size * gradient / gradient.abs().max().clamp(min=1e-12))
        after = self._errors(batch)
        if after > before / 2:
            raise ContractError(
                f"{after} edits are left between what is decoded and the targets after "
                f"{_DESCENT_STEPS} steps of descent, of {before} before; check the sign of the "
                "objective, and that nothing is detached that has to be learned"
            )

    def _errors(self, batch: LossBatch) -> int:
        """Return the edits between greedily decoded labels and targets, in any order for ACE."""
        decode = GreedyDecoder().build(self.component.decoder, ())
        with torch.no_grad():
            labels = decode(batch.head(batch.features), batch.targets.lengths).labels
        errors = 0
        for row, (target, length) in enumerate(zip(*batch.targets[1:], strict=True)):
            expected, actual = target[: int(length)].tolist(), labels[row].tolist()
            if self.component.decoder == "ace":
                expected, actual = sorted(expected), sorted(actual)
            errors += editdistance.eval(expected, actual)
        return errors

    @requires("The gradient is the derivative of the objective, in double precision.")
    def derivative(self) -> str | None:
        """Compare directional derivatives with central differences."""
        batch = make_loss_batch(self.component, FEASIBLE)
        try:
            difference = derivative_difference(self._objective, batch)
        except DetachedError as error:
            return (
                f"{error}, so the gradient is not compared with finite differences: a part of "
                "the objective is a constant for the gradient"
            )
        if difference > 1e-4:  # noqa: PLR2004
            raise ContractError(
                f"the gradient differs from finite differences by {difference:.1%}; correct the "
                "backward pass of the autograd.Function in it"
            )
        return None

    @requires("The objective mixes no tensors of two devices; lengths are on the host.")
    def devices(self) -> str | None:
        """Compute the objective on an emulated GPU, and compare it with that on the CPU."""
        samples = (*FEASIBLE, *HARD)
        batch = make_loss_batch(self.component, samples)
        torch.manual_seed(1)
        expected = self._objective(batch).detach()

        def on_gpu(cuda: EmulatedCuda) -> Tensor:
            cuda.move(batch.head)
            features = batch.features.detach().to("cuda:0").requires_grad_()
            labels = batch.targets.labels.to("cuda:0", non_blocking=True)
            cuda.clear()
            torch.manual_seed(1)
            value = self.component.objective(
                batch.head, both_features(features), batch.targets._replace(labels=labels)
            )
            torch.autograd.grad(value, features, allow_unused=True)
            return value

        return compare_with_gpu(
            on_gpu,
            expected,
            "the objective",
            "labels and features are on the device, lengths on the host: move lengths by "
            ".to(labels.device, non_blocking=True)",
        )

    @requires("The weights of the classifier are restored from a checkpoint, to the same bits.")
    def checkpoint(self) -> None:
        """Save and load the state of the classifier with weights_only=True."""
        batch = make_loss_batch(self.component, FEASIBLE)
        batch.gradients(self._objective(batch))
        self.component.on_epoch_end(batch.head)
        torch.manual_seed(7)
        restored = self.component.head(FeatureDims(DIMS, DIMS), CLASSES)
        restore_state(batch.head, restored, "classifier")
        other = LossBatch(restored, batch.features, batch.targets, batch.views)
        if not torch.equal(self._objective(batch), self._objective(other)):
            raise ContractError(
                "a restored classifier gives another objective; keep all of its state in "
                "parameters and buffers"
            )

    @requires("Two trainings of a small network with one seed are finite and equal.")
    def training(self) -> None:
        """Train a small network for a few steps, twice."""
        self._objective(draw_loss_batch(self.component, FEASIBLE))
        first, second = trained_twice(self.component)
        for number, value in enumerate(first.losses, 1):
            if not math.isfinite(value):
                raise ContractError(
                    f"the loss of step {number} of a training is {value}; see the check finite-loss"
                )
        if first.losses != second.losses or not first.equals(second):
            raise ContractError(
                "two trainings with one seed differ; keep no state in the loss, and draw from "
                "torch's global generator alone"
            )

    @informs("How long a step takes, relative to a plain loss.")
    def speed(self) -> str:
        """Time the objective with its backward pass on a batch of usual size."""
        reference = component_of("loss", "ctc" if self.component.accepts == "frames" else "ce")
        self._objective(draw_loss_batch(self.component, FEASIBLE))
        own, plain = (loss_milliseconds(each) for each in (self.component, reference))
        return (
            f"objective and gradient of a batch of 32 take {own:.1f} ms on this CPU, "
            f"{own / plain:.1f} times those of {reference.name}"
        )

    def _objective(self, batch: LossBatch) -> Tensor:
        features = both_features(batch.features)
        value = self.component.objective(batch.head, features, batch.targets)
        if not isinstance(value, Tensor) or value.shape != () or not value.is_floating_point():
            returned = type(value).__name__
            if isinstance(value, Tensor):
                per_sample = value.shape == batch.targets.lengths.shape
                returned = (
                    "a value per sample" if per_sample else f"{value.dtype} {tuple(value.shape)}"
                )
            raise ContractError(
                f"objective() returned {returned}; return a scalar tensor, such as the mean over "
                "the batch by bench.nn.global_batch.sample_mean"
            )
        return value

"""Small batches of features with targets, for the checks of losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core.types import Batch, FeatureDims, Features, Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.core.components import Loss

DIMS, CLASSES = 6, 5
"""The dimension of features, and the classes with class 0 among them."""
STEPS = 6
"""The output steps of a sequence-to-sequence network."""


class Sample(NamedTuple):
    """A sample without features.

    Attributes:
        frames: The number of its frames; output steps are always `STEPS`.
        labels: Its target.
    """

    frames: int
    labels: tuple[int, ...]


FEASIBLE = (Sample(8, (1, 2, 2)), Sample(6, (3, 4)), Sample(7, (4,)), Sample(5, (2, 3)))
INFEASIBLE = (Sample(2, (1, 1, 2, 2, 3, 3, 4, 4)), Sample(1, (1, 2, 3, 4, 3, 2, 1)))
"""Targets longer than the output, whatever aligns them."""
HARD = (
    Sample(5, (1, 2, 3, 4, 1)),
    Sample(5, (2, 2, 2)),
    Sample(1, (3,)),
    Sample(4, ()),
    Sample(2, (1, 2, 3)),
    Sample(2, (1, 1)),
    Sample(1, (1, 2)),
    *INFEASIBLE,
)
"""As many labels as frames, repeats, a single frame, no label, and targets longer than the
output."""


@dataclass(frozen=True)
class LossBatch:
    """Features of the augmented views of a batch, with targets and a classifier.

    Attributes:
        head: The classifier of the loss.
        features: (V·N, T, D), for V augmented views of N samples; a leaf that requires a gradient.
        targets: The targets of the views.
        views: V.
    """

    head: nn.Module
    features: Tensor
    targets: Targets
    views: int

    def of_features(self, features: Tensor) -> LossBatch:
        """Return the batch with other features, detached from what computed them."""
        leaf = features.detach().clone().requires_grad_()
        return LossBatch(self.head, leaf, self.targets, self.views)

    def gradient(self, value: Tensor) -> Tensor:
        """Return the gradient of the features; it is zero where `value` does not depend on them."""
        (gradient,) = torch.autograd.grad(
            value, self.features, allow_unused=True, retain_graph=True
        )
        return torch.zeros_like(self.features) if gradient is None else gradient

    def gradients(self, value: Tensor) -> dict[str, Tensor]:
        """Return the gradients of the features and of the classifier's weights, by name."""
        weights = {
            f"the gradient of the classifier's {name}": each
            for name, each in self.head.named_parameters()
        }
        leaves = {"the gradient of the features": self.features} | weights
        gradients = torch.autograd.grad(value, [*leaves.values()], allow_unused=True)
        return {
            name: gradient
            for name, gradient in zip(leaves, gradients, strict=True)
            if gradient is not None
        }

    def described(self) -> str:
        """Return what the samples are."""
        samples = [
            f"labels {labels[: int(count)].tolist()} in {int(length)} frames or steps"
            for length, labels, count in zip(*self.targets, strict=True)
        ]
        return samples[0] if len(samples) == 1 else f"a batch of {len(samples)} samples"

    def rows(self, samples: Sequence[int]) -> LossBatch:
        """Return the batch of some of the N samples, in this order, in each augmented view."""
        count = len(self.features) // self.views
        rows = torch.tensor([view * count + n for view in range(self.views) for n in samples])
        targets = Targets(*(values[rows] for values in self.targets))
        return LossBatch(self.head, self.features, targets, self.views).of_features(
            self.features[rows]
        )

    def padded(self, frames: int, labels: int, value: float) -> LossBatch:
        """Return the batch with longer padding, all of whose features have a value."""
        lengths, classes, label_lengths = self.targets
        longer = functional.pad(self.features.detach(), (0, 0, 0, frames), value=value)
        padding = torch.arange(longer.shape[1]) >= lengths.unsqueeze(1)
        longer = longer.masked_fill(padding.unsqueeze(2), value)
        targets = Targets(lengths, functional.pad(classes, (0, labels)), label_lengths)
        return LossBatch(self.head, longer, targets, self.views).of_features(longer)


def make_loss_batch(loss: Loss, samples: Sequence[Sample], *, scale: float = 1.0) -> LossBatch:
    """Return random features of `samples` times `scale`, in the augmented views of a loss."""
    torch.manual_seed(0)
    return draw_loss_batch(loss, samples, scale)


def draw_loss_batch(loss: Loss, samples: Sequence[Sample], scale: float = 1.0) -> LossBatch:
    """Return a batch as `make_loss_batch` does, without seeding torch's global generator."""
    head = loss.head(FeatureDims(DIMS, DIMS), CLASSES)
    frames = loss.accepts == "frames"
    time = max(sample.frames for sample in samples) if frames else STEPS
    batch = _batch(samples, time, clips=frames)
    views = loss.augmented_views(batch)
    lengths, rows = views.lengths, len(views.lengths)
    if frames:
        features = views.inputs.flatten(2) * scale
    else:
        lengths = torch.full_like(lengths, STEPS)
        features = torch.randn(rows, STEPS, DIMS) * scale
    targets = Targets(lengths, views.targets, views.target_lengths)
    return LossBatch(head, features, targets, rows // len(samples)).of_features(features)


def _batch(samples: Sequence[Sample], time: int, *, clips: bool) -> Batch:
    """Return a batch whose inputs are clips of one row of pixels, or images."""
    count = len(samples)
    labels = torch.zeros(
        count, max(1, *(len(sample.labels) for sample in samples)), dtype=torch.int64
    )
    for row, sample in zip(labels, samples, strict=True):
        row[: len(sample.labels)] = torch.tensor(sample.labels, dtype=torch.int64)
    size = (count, time, 1, 1, DIMS) if clips else (count, 1, 4, time)
    lengths = [sample.frames if clips else time for sample in samples]
    return Batch(
        inputs=torch.randn(size),
        lengths=torch.tensor(lengths),
        targets=labels,
        target_lengths=torch.tensor([len(sample.labels) for sample in samples]),
        key_frames=torch.full_like(labels, -1),
        ids=tuple(f"sample-{number}" for number in range(count)),
    )


def both_features(features: Tensor) -> Features:
    """Return features that are their own visual features."""
    return Features(features, features)

"""One step of training as a module: a batch to its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from bench.core.types import Features

if TYPE_CHECKING:
    from bench.config.recipe import Precision
    from bench.core.components import Loss
    from bench.core.types import Batch
    from bench.recognizers.networks.network import RecognitionNetwork

_HALF_PRECISION: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


class StepOutput(NamedTuple):
    """What a training step computes from one batch.

    Attributes:
        loss: The scalar to minimize, float32.
        infeasible: How many samples of the batch have a target longer than the output; they add
            nothing to the loss. A sample counts once, however many augmented views of it the loss
            trains on. It is known on the host without waiting for the device.
    """

    loss: Tensor
    infeasible: int


class TrainingStep(nn.Module):
    """A recognizer under its loss: all that training computes from a batch.

    This is the only module that a trainer calls, so whatever wraps a training step (autocast, DDP,
    `torch.compile`, hooks) wraps this one. It is given a batch whose inputs are on the device, and
    runs without waiting for the device.

    Args:
        network: The model with the classifier of `loss`.
        loss: The training objective.
        precision: What the network computes in. Classifier and loss compute in float32: posteriors
            and angles need more digits than half precision has.
    """

    def __init__(
        self, network: RecognitionNetwork, loss: Loss, precision: Precision = "float32"
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self._half = _HALF_PRECISION.get(precision)

    def forward(self, batch: Batch) -> StepOutput:
        """Return the loss of `batch`, drawing its augmented views from torch's global generator."""
        views = self.loss.augmented_views(batch)
        with torch.autocast(views.inputs.device.type, self._half, enabled=self._half is not None):
            (sequence, visual), targets = self.network.training_features(views, self.loss)
        features = Features(sequence.float(), None if visual is None else visual.float())
        loss = self.loss.objective(self.network.head, features, targets)
        on_host = targets._replace(labels=views.targets)
        feasible = self.loss.feasible(on_host)[: len(batch.ids)]
        return StepOutput(loss, len(batch.ids) - int(feasible.sum()))

    def end_epoch(self) -> None:
        """Let the loss update what it keeps from epoch to epoch."""
        self.loss.on_epoch_end(self.network.head)

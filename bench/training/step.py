"""One step of training as a module: a batch to its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.core.types import Features

if TYPE_CHECKING:
    from bench.config.recipe import Precision
    from bench.core.components import Loss
    from bench.core.types import Batch
    from bench.recognizers.networks.network import RecognitionNetwork

_HALF_PRECISION: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


class StepOutput(NamedTuple):
    """The results of a training step on one batch.

    Attributes:
        loss: The scalar to minimize, float32.
        infeasible: The number of samples whose target is longer than the output; they add nothing
            to the loss. A sample counts once, however many augmented views of it the loss uses. It
            is computed on the host, without synchronization.
    """

    loss: Tensor
    infeasible: int


class TrainingStep(nn.Module):
    """A network with its loss: the whole computation of a training step.

    This is the only module that a trainer calls, so it is what autocast, DDP, `torch.compile` and
    hooks wrap. The inputs of a batch are on the device, and the step does not synchronize with it.

    Args:
        network: The model with the classifier of `loss`.
        loss: The training objective.
        precision: The precision of the network. Classifier and loss compute in float32, because
            posteriors and angles require more digits than half precision has.
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
        if loss.numel() != 1:
            raise BenchError(
                f"the objective of {self.loss.name} has the shape {tuple(loss.shape)}; return one "
                "number, such as the mean over the batch by bench.nn.global_batch.sample_mean"
            )
        on_host = targets._replace(labels=views.targets)
        feasible = self.loss.feasible(on_host)[: len(batch.ids)]
        return StepOutput(loss, len(batch.ids) - int(feasible.sum()))

    def end_epoch(self) -> None:
        """Let the loss update its state after an epoch."""
        self.loss.on_epoch_end(self.network.head)

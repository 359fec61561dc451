"""A model under the classifier of its loss: what a trial trains and tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from bench.core.components import FrameModel, Seq2SeqLoss, Seq2SeqModel
from bench.core.types import Features, Targets
from bench.nn.feedback import Greedy
from bench.trials.store import Parameters

if TYPE_CHECKING:
    from bench.config.suite import Precision
    from bench.core.components import Loss, Model
    from bench.core.types import Batch, FrameNetwork, InputPipeline, Seq2SeqNetwork

_HALVES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Recognizer(nn.Module, ABC):
    """A network and a classifier: inputs to logits, and a batch to what its loss minimizes."""

    def __init__(self, loss: Loss, model: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.loss = loss
        self.model = model
        self.head = head

    @abstractmethod
    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and how many of their T each sample (N,) has."""

    def objective(self, batch: Batch, precision: Precision = "float32") -> tuple[Tensor, Targets]:
        """Return the scalar to minimise, and what the features were to read.

        The network computes in `precision`; classifier and loss in float32, whose posteriors and
        angles are finer than half of it can say.
        """
        half = _HALVES.get(precision)
        with torch.autocast(batch.inputs.device.type, half, enabled=half is not None):
            features, targets = self.features(batch)
        sequence, visual = features
        features = Features(sequence.float(), None if visual is None else visual.float())
        return self.loss.objective(self.head, features, targets), targets

    @abstractmethod
    def features(self, batch: Batch) -> tuple[Features, Targets]:
        """Return the features of a batch in training, and what they should read."""

    @abstractmethod
    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return how many frames or symbols (N,) inputs of `lengths` (N,) leave to a target."""


class FrameRecognizer(Recognizer):
    """Reads frames; the loss has to find which of them show what."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and the valid frames (N,)."""
        features, lengths = self.model(inputs, lengths)
        return self.head(features.sequence), lengths

    def features(self, batch: Batch) -> tuple[Features, Targets]:
        """Return the features of all frames."""
        features, lengths = self.model(batch.inputs, batch.lengths)
        return features, Targets(lengths, batch.targets, batch.target_lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that the network makes of its inputs."""
        return cast("FrameNetwork", self.model).output_lengths(lengths)


class Seq2SeqRecognizer(Recognizer):
    """Emits symbols; in a test it reads back its own, in training what the loss feeds it."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, S, C) and S for each sample: a decoder has to find the end."""
        feedback = Greedy(self.head)
        features = self.model(inputs, lengths, feedback).sequence
        # What was fed back has been classified already.
        logits = feedback.logits() if feedback.steps else self.head(features)
        return logits, lengths.new_full(lengths.shape, logits.shape[1])

    def features(self, batch: Batch) -> tuple[Features, Targets]:
        """Return the features of the steps that the target and its end take."""
        lengths = self.output_lengths(batch.lengths)
        targets = Targets(lengths, batch.targets, batch.target_lengths)
        feedback = cast("Seq2SeqLoss", self.loss).feedback(self.head, targets)
        return self.model(batch.inputs, batch.lengths, feedback), targets

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the most symbols that the network emits, whatever its inputs."""
        return lengths.new_full(lengths.shape, cast("Seq2SeqNetwork", self.model).steps)


def build(model: Model, loss: Loss, source: InputPipeline) -> Recognizer:
    """Build model and classifier for the shape and the vocabulary of `source`."""
    classes = len(source.vocabulary) + 1
    if isinstance(model, FrameModel):
        network = model.build(source.input_shape)
        head = loss.head(cast("FrameNetwork", network).feature_dims, classes)
        return FrameRecognizer(loss, network, head)
    network = cast("Seq2SeqModel", model).build(source.input_shape, classes)
    head = loss.head(cast("Seq2SeqNetwork", network).feature_dims, classes)
    return Seq2SeqRecognizer(loss, network, head)


def parameters(network: nn.Module) -> Parameters:
    """Count the weights of `network`."""
    weights = list(network.parameters())
    return Parameters(
        total=sum(weight.numel() for weight in weights),
        trainable=sum(weight.numel() for weight in weights if weight.requires_grad),
    )

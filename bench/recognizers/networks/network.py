"""A model under the classifier of its loss: the recognizer that bench trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from bench.core.components import FrameModel, Seq2SeqModel
from bench.core.types import Features, Targets
from bench.losses.base import Seq2SeqLoss
from bench.nn.feedback import Greedy

if TYPE_CHECKING:
    from bench.core.components import Loss, Model
    from bench.core.types import Batch, FrameNetwork, InputShape, Seq2SeqNetwork


class RecognitionNetwork(nn.Module, ABC):
    """A network and a classifier: inputs to logits.

    Args:
        model: A built `FrameModel` or `Seq2SeqModel`.
        head: The classifier of its loss, from features (…, D) to logits (…, C).
    """

    def __init__(self, model: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.head = head

    @abstractmethod
    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and how many of their T steps each sample (N,) has.

        Inputs and logits are on the device of the network, lengths on the host.
        """

    @abstractmethod
    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:
        """Return the features of a batch for `loss`, and the labels that they should be read as."""

    @abstractmethod
    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return how many frames or steps (N,) the network makes of inputs of `lengths` (N,)."""


class FrameRecognitionNetwork(RecognitionNetwork):
    """A frame model under a classifier; the loss aligns frames with labels."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and the number of valid frames (N,)."""
        features, lengths = self.model(inputs, lengths)
        return self.head(features.sequence), lengths

    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:  # noqa: ARG002 (no feedback)
        """Return the features of all frames, and the labels of the batch."""
        features, lengths = self.model(batch.inputs, batch.lengths)
        return features, _targets(batch, lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames (N,) that the network makes of its inputs."""
        return cast("FrameNetwork", self.model).output_lengths(lengths)


class Seq2SeqRecognitionNetwork(RecognitionNetwork):
    """A sequence-to-sequence model under a classifier.

    It is fed its own predictions in evaluation, and in training what the loss decides.
    """

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, S, C) and S for each sample (N,): a decoder has to look for the EOS."""
        feedback = Greedy(self.head)
        features = self.model(inputs, lengths, feedback).sequence
        # What was fed back has been classified already.
        logits = feedback.logits() if feedback.steps else self.head(features)
        return logits, lengths.new_full(lengths.shape, logits.shape[1])

    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:
        """Return the features of the steps that the labels and their EOS take, and the labels."""
        lengths = self.output_lengths(batch.lengths)
        targets = _targets(batch, lengths)
        feedback = cast("Seq2SeqLoss", loss).feedback(self.head, targets)
        return self.model(batch.inputs, batch.lengths, feedback), targets

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the largest number of steps of the network for every input (N,)."""
        return lengths.new_full(lengths.shape, cast("Seq2SeqNetwork", self.model).steps)


def _targets(batch: Batch, lengths: Tensor) -> Targets:
    """Return the labels of a batch, on the device of its inputs, with outputs of `lengths` (N,)."""
    labels = batch.targets.to(batch.inputs.device, non_blocking=True)
    return Targets(lengths, labels, batch.target_lengths)


def build_network(
    model: Model, loss: Loss, input_shape: InputShape, classes: int
) -> RecognitionNetwork:
    """Build model and classifier, with initial weights from torch's global generator.

    Args:
        model: The architecture.
        loss: Whose classifier is built.
        input_shape: The shape of one frame or image.
        classes: The number of classes, blank or end of sequence included.

    Raises:
        BenchError: The model cannot be built for this shape, or the loss not for its features.
    """
    if isinstance(model, FrameModel):
        network = model.build(input_shape)
        head = loss.head(cast("FrameNetwork", network).feature_dims, classes)
        return FrameRecognitionNetwork(network, head)
    network = cast("Seq2SeqModel", model).build(input_shape, classes)
    head = loss.head(cast("Seq2SeqNetwork", network).feature_dims, classes)
    return Seq2SeqRecognitionNetwork(network, head)


class WeightsError(Exception):
    """Weights that are not those of a network, in a sentence or several."""


def network_from_weights(
    model: Model, loss: Loss, input_shape: InputShape, classes: int, weights: bytes
) -> RecognitionNetwork:
    """Return a network with trained weights, in evaluation mode, on the CPU.

    Args:
        model: The architecture.
        loss: Whose classifier is built.
        input_shape: The shape of one frame or image.
        classes: The number of classes, blank or end of sequence included.
        weights: The content of a safetensors file.

    Raises:
        WeightsError: The weights are not those of this network.
        BenchError: The network cannot be built.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    network = build_network(model, loss, input_shape, classes)
    try:
        network.load_state_dict(load(weights))
    except (RuntimeError, SafetensorError) as error:
        raise WeightsError(str(error)) from None
    # The layout that it was trained in: other kernels round otherwise.
    return network.to(memory_format=torch.channels_last).eval()


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return how many weights `network` has, and how many of them are trained."""
    weights = list(network.parameters())
    return (
        sum(weight.numel() for weight in weights),
        sum(weight.numel() for weight in weights if weight.requires_grad),
    )

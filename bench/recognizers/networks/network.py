"""Recognition networks: a model with the classifier of its loss on top, as bench trains them."""

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
    """A model and a classifier, from inputs to logits.

    Args:
        model: A built `FrameModel` or `Seq2SeqModel`.
        head: The classifier of the loss, from features (…, D) to logits (…, C).
    """

    def __init__(self, model: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.head = head

    @abstractmethod
    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and the number of valid steps of each sample (N,).

        Args:
            inputs: A batch of images or clips, on the device of the network.
            lengths: Columns or frames of each input (N,), on the host.
        """

    @abstractmethod
    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:
        """Return the features of a batch and its targets for `loss`."""

    @abstractmethod
    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames or steps (N,) for inputs of `lengths` (N,)."""


class FrameRecognitionNetwork(RecognitionNetwork):
    """A frame model with a classifier; the loss aligns frames with labels."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and the number of valid frames (N,)."""
        features, lengths = self.model(inputs, lengths)
        return self.head(features.sequence), lengths

    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:  # noqa: ARG002 (no feedback)
        """Return the features of all frames and the targets of the batch."""
        features, lengths = self.model(batch.inputs, batch.lengths)
        return features, _targets(batch, lengths)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames (N,) for inputs of `lengths` (N,)."""
        return cast("FrameNetwork", self.model).output_lengths(lengths)


class Seq2SeqRecognitionNetwork(RecognitionNetwork):
    """A sequence-to-sequence model with a classifier.

    The feedback to an autoregressive model is its own predictions in evaluation; in training the
    loss chooses it.
    """

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, S, C) and S for each sample (N,); the decoder cuts texts at the EOS."""
        feedback = Greedy(self.head)
        features = self.model(inputs, lengths, feedback).sequence
        # Feedback has computed the logits already.
        logits = feedback.logits() if feedback.steps else self.head(features)
        return logits, lengths.new_full(lengths.shape, logits.shape[1])

    def training_features(self, batch: Batch, loss: Loss) -> tuple[Features, Targets]:
        """Return the features of the steps of labels and EOS, and the targets of the batch."""
        lengths = self.output_lengths(batch.lengths)
        targets = _targets(batch, lengths)
        feedback = cast("Seq2SeqLoss", loss).feedback(self.head, targets)
        return self.model(batch.inputs, batch.lengths, feedback), targets

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the maximum number of steps of the network, for each input (N,)."""
        return lengths.new_full(lengths.shape, cast("Seq2SeqNetwork", self.model).steps)


def _targets(batch: Batch, lengths: Tensor) -> Targets:
    """Return the targets of a batch on the device of its inputs, with output lengths (N,)."""
    labels = batch.targets.to(batch.inputs.device, non_blocking=True)
    return Targets(lengths, labels, batch.target_lengths)


def build_network(
    model: Model, loss: Loss, input_shape: InputShape, classes: int
) -> RecognitionNetwork:
    """Build a model and its classifier, with initial weights from torch's global generator.

    Args:
        model: The model component.
        loss: The loss, which builds the classifier.
        input_shape: The shape of one image or frame.
        classes: The number of classes, including blank or end of sequence.

    Raises:
        BenchError: The model does not support this shape, or the loss these features.
    """
    if isinstance(model, FrameModel):
        network = model.build(input_shape)
        head = loss.head(cast("FrameNetwork", network).feature_dims, classes)
        return FrameRecognitionNetwork(network, head)
    network = cast("Seq2SeqModel", model).build(input_shape, classes)
    head = loss.head(cast("Seq2SeqNetwork", network).feature_dims, classes)
    return Seq2SeqRecognitionNetwork(network, head)


class WeightsError(Exception):
    """Weights that do not fit a network."""


def network_from_weights(
    model: Model, loss: Loss, input_shape: InputShape, classes: int, weights: bytes
) -> RecognitionNetwork:
    """Build a network and load its weights; it is in evaluation mode, on the CPU.

    Args:
        model: The model component.
        loss: The loss, which builds the classifier.
        input_shape: The shape of one image or frame.
        classes: The number of classes, including blank or end of sequence.
        weights: The content of a safetensors file.

    Raises:
        WeightsError: The weights do not fit the network.
        BenchError: The network cannot be built.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    network = build_network(model, loss, input_shape, classes)
    try:
        network.load_state_dict(load(weights))
    except (RuntimeError, SafetensorError) as error:
        raise WeightsError(str(error)) from None
    # The memory layout of training, because other kernels round differently.
    return network.to(memory_format=torch.channels_last).eval()


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return the number of weights of a network, and the number of those that are trained."""
    weights = list(network.parameters())
    return (
        sum(weight.numel() for weight in weights),
        sum(weight.numel() for weight in weights if weight.requires_grad),
    )

"""A model under the classifier of its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from bench.store import Parameters

if TYPE_CHECKING:
    from bench.components import FrameModel, Loss, Model, Source


class Recognizer(nn.Module):
    """What a trial trains and tests: (inputs, lengths) to features, and features to logits."""

    def __init__(self, model: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.head = head

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, T, C) and their lengths (N,)."""
        features, lengths = self.model(inputs, lengths)
        return self.head(features), lengths


def build(model: Model, loss: Loss, source: Source) -> Recognizer:
    """Build model and classifier for the shape and the vocabulary of `source`."""
    network = model.build(source.input_shape)
    features = cast("FrameModel", network).features
    return Recognizer(network, loss.head(features, len(source.vocabulary) + 1))


def parameters(network: nn.Module) -> Parameters:
    """Count the weights of `network`."""
    weights = list(network.parameters())
    return Parameters(
        total=sum(weight.numel() for weight in weights),
        trainable=sum(weight.numel() for weight in weights if weight.requires_grad),
    )

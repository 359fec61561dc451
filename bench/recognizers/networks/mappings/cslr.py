"""Mappings of the network of VAC for continuous sign language recognition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.recognizers.networks.mappings.mapping import WeightMapping

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS = {
    "conv2d": "model.frame",
    "conv1d.temporal_conv.0": "model.temporal.convolutions.0",
    "conv1d.temporal_conv.1": "model.temporal.norms.0",
    "conv1d.temporal_conv.4": "model.temporal.convolutions.1",
    "conv1d.temporal_conv.5": "model.temporal.norms.1",
    "temporal_model.rnn": "model.encoder.lstm",
    "classifier": "head.classifier",
    "conv1d.fc": "head.auxiliary",
}


def _transposed_classifier(name: str, weight: Tensor) -> Tensor:
    """Return a weight; classifiers are transposed from (features, classes) there."""
    return weight.T if name.startswith("head.") else weight


MAPPINGS = (
    WeightMapping(
        name="vac",
        source="github.com/VIPL-SLP/VAC_CSLR with its defaults: one normalized classifier",
        layers=_LAYERS,
        model="cslr-resnet18",
        loss={"name": "vac", "shared": True},
        infix=".module",
        convert=_transposed_classifier,
    ),
    WeightMapping(
        name="vac-linear",
        source="github.com/VIPL-SLP/VAC_CSLR, weight_norm and share_classifier off",
        layers=_LAYERS,
        model="cslr-resnet18",
        loss="vac",
        infix=".module",
    ),
)

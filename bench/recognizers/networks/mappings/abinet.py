"""Mappings of the vision model of ABINet, alone or as a part of ABINet."""

from __future__ import annotations

import string

from bench.recognizers.networks.mappings.mapping import PRINTABLE, WeightMapping

_STAGES = (3, 4, 6, 6, 3)
"""The number of blocks in each stage of the ResNet."""
_BLOCK = {
    "conv1": "residual.0.0",
    "bn1": "residual.0.1",
    "conv2": "residual.2.0",
    "bn2": "residual.2.1",
    "downsample.0": "shortcut.0",
    "downsample.1": "shortcut.1",
}
_FIRST_BLOCK = 2
"""The index of the first block in the ResNet of bench, after a convolution and a ReLU."""


def _layers() -> dict[str, str]:
    """Return the names here of the layers there: ResNet, transformer, attention and classifier."""
    resnet = "backbone.resnet"
    layers = {f"{resnet}.conv1": "model.image.0.0.0", f"{resnet}.bn1": "model.image.0.0.1"}
    index = _FIRST_BLOCK
    for stage, blocks in enumerate(_STAGES, 1):
        for block in range(blocks):
            for there, here in _BLOCK.items():
                layers[f"{resnet}.layer{stage}.{block}.{there}"] = f"model.image.0.{index}.{here}"
            index += 1
    for level in range(4):
        for part in (0, 1):
            down, up = f"attention.k_encoder.{level}.{part}", f"attention.down.{level}.{part}"
            layers[down] = f"model.{up}"
            # There, an upsampling layer without weights precedes each convolution.
            layers[f"attention.k_decoder.{level}.{part + 1}"] = f"model.attention.up.{level}.{part}"
    return layers | {
        "backbone.transformer.layers": "model.image.1.layers.layers",
        "attention.project": "model.attention.query",
        "cls": "head",
    }


_IGNORED = ("backbone.pos_encoder", "attention.pos_encoder", "language", "alignment")
"""Sinusoidal position encodings, which bench computes, and the parts after the vision model."""

MAPPINGS = (
    WeightMapping(
        name="abinet-vision",
        source="github.com/FangShancheng/ABINet, its vision model",
        layers=_layers(),
        model="abinet-vision",
        loss="ce",
        input="abinet",
        alphabet=(*string.ascii_lowercase, *"1234567890"),
        prefixes=("module.", "vision."),
        ignored=_IGNORED,
    ),
    WeightMapping(
        name="parseq-abinet-vision",
        source="github.com/baudm/parseq, the vision model of abinet",
        layers=_layers(),
        model="abinet-vision",
        loss="ce",
        input="parseq",
        alphabet=tuple(PRINTABLE),
        prefixes=("model.", "vision."),
        ignored=_IGNORED,
    ),
)

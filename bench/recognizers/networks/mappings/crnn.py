"""Mappings of ports of CRNN to PyTorch."""

from __future__ import annotations

from bench.recognizers.networks.mappings.mapping import (
    ALPHANUMERIC,
    DIGITS_AND_LOWER,
    PRINTABLE,
    WeightMapping,
)

_NAMED = (
    {f"cnn.conv{i}": f"model.convolutions.stages.{i}.convolution" for i in range(7)}
    | {f"cnn.batchnorm{i}": f"model.convolutions.stages.{i}.norm" for i in (2, 4, 6)}
    | {"rnn.0.rnn": "model.encoder.first.lstm", "rnn.1.rnn": "model.encoder.second.lstm"}
)
"""Layers of the port of meijieru, which others have copied with other names of linear layers."""


def _numbered(name: str, convolutions: tuple[int, ...], norms: dict[int, int]) -> dict[str, str]:
    """Return the layers of an `nn.Sequential`.

    Args:
        name: The name of the sequence.
        convolutions: The index in the sequence of the convolution of each stage.
        norms: The stage of each normalization, by its index in the sequence.
    """
    return {
        f"{name}.{there}": f"model.convolutions.stages.{stage}.convolution"
        for stage, there in enumerate(convolutions)
    } | {
        f"{name}.{there}": f"model.convolutions.stages.{stage}.norm"
        for there, stage in norms.items()
    }


MAPPINGS = (
    WeightMapping(
        name="meijieru-crnn",
        source="github.com/meijieru/crnn.pytorch",
        layers=_NAMED | {"rnn.0.embedding": "model.encoder.join", "rnn.1.embedding": "head"},
        model="crnn",
        input="meijieru",
        alphabet=tuple(DIGITS_AND_LOWER),
        prefixes=("module.",),
    ),
    WeightMapping(
        name="parseq-crnn",
        source="github.com/baudm/parseq, crnn",
        layers=_NAMED | {"rnn.0.linear": "model.encoder.join", "rnn.1.linear": "head"},
        model={"name": "crnn", "bias": False},
        input="parseq",
        alphabet=tuple(PRINTABLE),
        prefixes=("model.",),
    ),
    WeightMapping(
        name="post-crnn",
        source="github.com/tuongtranngoc/CRNN",
        layers=_numbered("feat_extract", (0, 3, 6, 9, 12, 15, 18), {7: 2, 13: 4, 19: 6})
        | {"neck.encoder.bilstm": "model.encoder.lstm", "head.fc": "head"},
        model={"name": "crnn", "join": False, "bias": False},
        input="crnn-post",
        alphabet=tuple(DIGITS_AND_LOWER),
    ),
    WeightMapping(
        name="nano-ocr",
        source="the package nano-ocr",
        layers=_numbered("cnn", (0, 3, 6, 9, 12, 16), {7: 2, 13: 4, 17: 5})
        | {"rnn": "model.encoder.lstm", "fc": "head"},
        model="crnn-small",
        input="nano-ocr",
        alphabet=(*ALPHANUMERIC, ".", "-", " "),
    ),
)

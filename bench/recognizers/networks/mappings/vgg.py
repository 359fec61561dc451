"""Mappings of VGG with two BiLSTMs: clovaai's None-VGG-BiLSTM-CTC and EasyOCR's English network."""

from __future__ import annotations

import string
from dataclasses import replace

from bench.recognizers.networks.mappings.mapping import (
    DIGITS_AND_LOWER,
    PRINTABLE,
    WeightMapping,
)

_STAGES = {0: 0, 3: 1, 6: 2, 8: 3, 11: 4, 14: 5, 18: 6}
_NORMS = {12: 4, 15: 5}
_LAYERS = (
    {
        f"FeatureExtraction.ConvNet.{there}": f"model.convolutions.stages.{here}.convolution"
        for there, here in _STAGES.items()
    }
    | {
        f"FeatureExtraction.ConvNet.{there}": f"model.convolutions.stages.{here}.norm"
        for there, here in _NORMS.items()
    }
    | {
        "SequenceModeling.0.rnn": "model.encoder.first.lstm",
        "SequenceModeling.0.linear": "model.encoder.join",
        "SequenceModeling.1.rnn": "model.encoder.second.lstm",
        "SequenceModeling.1.linear": "model.encoder.project",
        "Prediction": "head",
    }
)
_CLOVAAI = "github.com/clovaai/deep-text-recognition-benchmark, None-VGG-BiLSTM-CTC"

_CRNN = WeightMapping(
    name="clovaai-crnn",
    source=_CLOVAAI,
    layers=_LAYERS,
    model="vgg-bilstm",
    input="clovaai",
    alphabet=tuple(DIGITS_AND_LOWER),
    prefixes=("module.",),
)

MAPPINGS = (
    _CRNN,
    replace(
        _CRNN,
        name="clovaai-crnn-sensitive",
        source=f"{_CLOVAAI} with --sensitive",
        alphabet=tuple(PRINTABLE),
    ),
    WeightMapping(
        name="easyocr-english-g2",
        source="github.com/JaidedAI/EasyOCR, english_g2.pth",
        layers=_LAYERS,
        model={"name": "vgg-bilstm", "width": 32},
        input="easyocr",
        alphabet=(
            *string.digits,
            *string.punctuation,
            " ",
            "€",
            *string.ascii_uppercase,
            *string.ascii_lowercase,
        ),
        prefixes=("module.",),
    ),
)

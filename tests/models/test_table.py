"""The table of docs/reference/models.md is what the models are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.core import registry
from bench.core.types import InputShape
from bench.profiling import cost
from bench.recognizers.networks.network import FrameRecognitionNetwork, Seq2SeqRecognitionNetwork

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip(" `") for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs/reference/models.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
COUNTED = [row for row in ROWS if row[5] != "–"]


def made(row):
    """Return the recogniser of a row, and one sample for it."""
    name, sample, classes, loss, *_ = row
    *frames, size = sample.split(" × ")
    shape = InputShape(*map(int, size.split("×")))
    model, criterion = registry.everything("model")[name](), registry.everything("loss")[loss]()
    symbols = model.emits == "seq2seq"
    network = model.build(shape, *([int(classes)] if symbols else []))
    head = criterion.head(network.feature_dims, int(classes))
    recognizer = (Seq2SeqRecognitionNetwork if symbols else FrameRecognitionNetwork)(network, head)
    length = int(frames[0]) if frames else shape.width
    return recognizer.eval(), torch.rand(1, *map(int, frames), *shape), torch.tensor([length])


def test_every_model_has_a_row():
    assert sorted(row[0] for row in ROWS) == sorted(registry.everything("model"))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_weights_are_those_of_the_table(row):
    recognizer, *_ = made(row)
    assert f"{sum(weight.numel() for weight in recognizer.parameters()):,}" == row[4]


@pytest.mark.slow
@pytest.mark.parametrize("row", COUNTED, ids=[row[0] for row in COUNTED])
def test_macs_are_those_of_the_table(row):
    assert f"{cost.count_macs(*made(row)) / 1e9:.2f}" == row[5]

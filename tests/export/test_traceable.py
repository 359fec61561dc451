"""Traceable copies of networks compute the same as the trained networks."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from small_components import SHAPES, losses, make_batch, make_step, masked_models, models

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.export import onnx_graph
from bench.export.input_sizes import input_sizes
from bench.export.traceable import Traceable
from bench.nn.ctc_functions import valid_frames

PARALLEL = {name for name, model in models().items() if model.emits == "frames"} | {
    "abinet-vision",
    "vitstr-tiny",
}
REPLACED = PARALLEL - {"abinet-vision", "lenetpp", "svtr-tiny", "vitstr-tiny"}
"""Models with modules whose control flow depends on lengths; in others nothing is replaced."""
EVERY = {**models(), **{f"{name} masked": model for name, model in masked_models().items()}}


def built(model):
    return make_step(model, losses(model, variants=False)[0]).network.eval()


@pytest.mark.parametrize("name", [n for n in EVERY if n.split()[0] in REPLACED])
def test_logits_are_those_of_the_network(name):
    network, batch = built(EVERY[name]), make_batch(EVERY[name])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.inference_mode():
        expected, lengths = network(batch.inputs, batch.lengths)
        logits, counts = Traceable(network, None)(batch.inputs, batch.lengths)
    assert torch.equal(counts, lengths)
    assert logits.shape == expected.shape
    valid = valid_frames(lengths, logits.shape[1])
    torch.testing.assert_close(logits[valid], expected[valid])
    after = network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_lengths_are_not_an_input_if_all_images_have_one_width():
    network, batch = built(EVERY["crnn"]), make_batch(EVERY["crnn"], varied=False)
    with torch.inference_mode():
        [logits] = Traceable(network, SHAPES["image"].width)(batch.inputs)
        expected, _ = network(batch.inputs, batch.lengths)
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize(
    ("model", "changes", "inputs"),
    [
        ("crnn", {}, {"images": ["batch", 1, 32, 48]}),
        ("crnn", {"keep_ratio": True}, {"images": ["batch", 1, 32, 48], "lengths": ["batch"]}),
        ("cnn-bilstm", {}, {"frames": ["batch", "time", 3, 8, 8], "lengths": ["batch"]}),
    ],
)
def test_lengths_are_an_input_if_they_may_differ(model, changes, inputs):
    made = EVERY[model]
    shown = replace(made.default_input, **changes)
    sizes = input_sizes(shown, SHAPES[made.accepts], built(made))
    assert onnx_graph.graph_inputs(sizes) == inputs
    assert [*onnx_graph.graph_outputs(sizes)] == ["logits", "output_lengths"][: len(inputs)]


def test_the_least_width_gives_one_frame():
    network = built(EVERY["htr-ctc"])
    sizes = input_sizes(EVERY["htr-ctc"].default_input, InputShape(1, 32, 0), network)
    assert onnx_graph.graph_inputs(sizes)["images"] == ["batch", 1, 32, "width"]
    inputs = sizes.example(1, sizes.min_length)
    [logits, lengths] = Traceable(network, None)(inputs, torch.tensor([sizes.min_length]))
    assert logits.shape[:2] == (1, 1)
    assert lengths.tolist() == [1]


@pytest.mark.parametrize("name", [n for n in EVERY if n not in PARALLEL and "masked" not in n])
def test_an_autoregressive_network_is_refused(name, monkeypatch):
    monkeypatch.setattr(onnx_graph, "require_onnx", lambda: None)
    model = EVERY[name]
    network = built(model)
    sizes = input_sizes(model.default_input, SHAPES[model.accepts], network)
    with pytest.raises(BenchError, match=f"model '{name}' is autoregressive"):
        onnx_graph.export_onnx(network, sizes, name)


def test_a_missing_package_is_reported_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        BenchError,
        match=r"requires onnx, .* install it with: pip install 'recognition-bench\[onnx\]'",
    ):
        onnx_graph.require_onnx()

"""Graphs in onnxruntime read the same as networks in torch; skipped without the packages."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Workplace
from bench.core.types import Batch
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.encoded_images import EncodedImages
from bench.data.reading.encoded_samples import EncodedSample
from bench.decoding.greedy import GreedyDecoder
from bench.diagnostics.finished import FinishedTraining
from bench.export import exporting, graph_check, onnx_graph
from bench.export.input_sizes import input_sizes
from bench.recognizers.networks import load

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
# In one worker, so that torch.onnx is imported once and each graph traced once.
pytestmark = pytest.mark.xdist_group("onnx")

DOCS = Path(__file__).parents[2] / "docs/how-to/export.md"
VITSTR = '{ name = "vitstr-tiny", depth = 1, heads = 1 }'
CRNN = '{ name = "crnn", width = 2, hidden = 4 }'
MASKED = '{ name = "htr-ctc", width = 2, features = 8, hidden = 4, masked = true }'
FULL = [('"crnn"', "ctc"), ('"svtr-tiny"', "ctc"), ('"htr-ctc"', "ctc"), ('"vitstr-tiny"', "ce")]
GRAPHS = {}


def graph(training, network):
    """Return the sizes of a training's inputs and its graph, which is traced once."""
    sizes = input_sizes(training.input, ImageTransform(training.input).shape, network)
    if training.record.key not in GRAPHS:
        GRAPHS[training.record.key] = onnx_graph.export_onnx(network, sizes, training.model.name)
    return sizes, GRAPHS[training.record.key]


@pytest.mark.parametrize(
    ("model", "loss", "samples"),
    [
        (VITSTR, "ce", 24),
        # The tests of exported folders below use this graph by default.
        pytest.param(CRNN, "ctc", 24, marks=pytest.mark.slow),
        pytest.param(MASKED, "ctc", 24, marks=pytest.mark.slow),
        *(pytest.param(*each, 200, marks=pytest.mark.slow) for each in FULL),
    ],
)
def test_texts_are_those_of_torch(write_training, words, model, loss, samples):
    made = write_training(model, loss)
    training = FinishedTraining(*made.store.training(made.training.key))
    network, transform = training.network, ImageTransform(training.input)
    _, content = graph(training, network)
    read = GreedyDecoder().build(training.loss.decoder, tuple(training.record.vocabulary))
    batches = [*make_batches(transform, words(samples))]
    compared = graph_check.compare_with_torch(content, network, batches, read)
    assert compared.samples == samples
    assert compared.different_texts == 0
    assert 0 < compared.largest_difference < 3e-5
    with torch.inference_mode():
        labels = [tuple(each) for b in batches for each in read(*network(*b[:2])).labels]
    assert len({*labels}) > samples / 4, "they read different texts of different images"
    assert str(onnx_graph.__file__).encode() not in content, "no path of this machine"


def make_batches(transform, encoded):
    """Yield batches of 1, 7, 8, 9 samples and so on, padded where lengths differ."""
    samples = [EncodedSample(str(n), (each,)) for n, each in enumerate(encoded)]
    references = EncodedImages(samples).references()
    first, size = 0, 1
    while part := references[first : first + size]:
        inputs, lengths = transform.read(part, None)
        none = torch.zeros(len(part), 0, dtype=torch.long)
        ids = tuple(reference.id for reference in part)
        yield Batch(transform.finish(inputs), lengths, none, lengths, none, ids)
        first, size = first + size, max(size + 1, 7)


@pytest.mark.slow
def test_an_exported_graph_can_be_used_with_its_description_alone(write_training, words, tmp_path):
    """Preprocess and decode by `model.json` alone, with NumPy and OpenCV."""
    made = write_training()
    training = FinishedTraining(*made.store.training(made.training.key))
    about = exporting.export_training(training, made.store, tmp_path / "out", samples=8)
    document = json.loads((tmp_path / "out" / "model.json").read_text())
    assert document["graph"]["inputs"] == {"images": ["batch", 1, 32, 100]}
    assert document["graph"]["compared_on"] == "noise"
    assert document["graph"]["different_texts"] == 0
    assert about.graph.compared_samples == 8
    assert "model.onnx" in (tmp_path / "out" / "README.md").read_text()
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    encoded = words(12)
    for content, reading in zip(encoded, load(tmp_path / "out").read(encoded), strict=True):
        gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        shrinks = gray.shape[0] >= 32 and gray.shape[1] >= 100
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        values = cv2.resize(gray, (100, 32), interpolation=how).astype(np.float32) / 127.5 - 1
        [logits] = session.run(["logits"], {"images": values[None, None]})
        best = logits[0].argmax(1)
        kept = [c for n, c in enumerate(best) if c and (n == 0 or best[n - 1] != c)]
        assert "".join(document["vocabulary"][c - 1] for c in kept) == reading.text
    assert_read_by_the_row_of_the_docs(tmp_path / "out", encoded)


def assert_read_by_the_row_of_the_docs(folder, encoded):
    """Read with the recognizer `onnx`, as a row of a suite does."""
    [row] = re.findall(r"recognizers = \[\n    \{ onnx = .*?\n\]", DOCS.read_text(), re.DOTALL)
    [table] = tomllib.loads(row.replace("my-crnn", str(folder)))["recognizers"]
    recognizer = registry.make("recognizer", "onnx", table)
    samples = [EncodedSample(str(n), (each,)) for n, each in enumerate(encoded)]
    with recognizer.open(Workplace("cpu", 1, folder)) as reader:
        readings = reader.read(samples)
    expected = load(folder).read(encoded)
    assert [reading.text for reading in readings] == [reading.text for reading in expected]


def test_a_graph_of_other_weights_is_refused(write_training):
    made = write_training(VITSTR, "ce")
    training = FinishedTraining(*made.store.training(made.training.key))
    network = training.network
    sizes, content = graph(training, network)
    network.head.bias[3] += 0.1
    read = GreedyDecoder().build("seq2seq", tuple(training.record.vocabulary))
    with pytest.raises(
        BenchError, match=r"does not compute the same as the network \(logits differ"
    ):
        graph_check.compare_with_torch(content, network, graph_check.noise_batches(sizes), read)

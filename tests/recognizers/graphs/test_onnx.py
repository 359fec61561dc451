"""A small graph that reads bars of color, and the errors of graphs that do not fit."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_onnx import external, tiny_graph

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Workplace
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.graphs.onnx_file import read_onnx_file

COLORS = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "_": (0, 0, 0)}
INPUT = {"height": 8, "scaling": "signed", "interpolation": "nearest"}
WORKPLACE = Workplace("cpu", 1, Path("cache"))


def bars(text, name="bars"):
    """Return an image with a bar of 4 columns for each character."""
    pixels = np.zeros((8, 4 * len(text), 3), np.uint8)
    for index, character in enumerate(text):
        pixels[:, 4 * index : 4 * index + 4] = COLORS[character]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return EncodedSample(name, (out.getvalue(),))


def scores(order=(0, 1, 2, 3)):
    """Return weights (3, 4) whose best class is that of the color; signed black is blank."""
    table = np.array([[-2, 2, -1, -1], [-2, -1, 2, -1], [-2, -1, -1, 2]], np.float32) * 4
    return table[:, list(order)]


def recognizer(tmp_path, content, **parameters):
    (tmp_path / "tiny.onnx").write_bytes(content)
    table = {"onnx": str(tmp_path / "tiny.onnx"), "input": INPUT, "alphabet": "rgb"} | parameters
    return registry.make("recognizer", "onnx", table)


def read(graph_recognizer, *texts):
    pytest.importorskip("onnxruntime")
    with graph_recognizer.open(WORKPLACE) as reader:
        return reader, reader.read([bars(text) for text in texts])


def refused(graph_recognizer):
    with pytest.raises(BenchError) as raised:
        read(graph_recognizer, "r")
    return str(raised.value)


def test_texts_have_confidences_and_the_order_of_their_samples(tmp_path):
    graph_recognizer = recognizer(tmp_path, tiny_graph(scores()))
    reader, readings = read(graph_recognizer, "r_g", "b", "gg", "r_r")
    assert [reading.text for reading in readings] == ["rg", "b", "g", "rr"]
    assert all(0.9 < reading.confidence <= 1 for reading in readings)
    assert (reader.parameters, reader.alphabet) == (12, frozenset("rgb"))


@pytest.mark.parametrize(
    ("parameters", "graph"),
    [
        ({}, {"time_first": True}),
        ({"blank": "last"}, {"order": (1, 2, 3, 0)}),
        ({"blank": 2}, {"order": (1, 2, 0, 3)}),
        ({"scores": "logits"}, {"softmax": False}),
        ({"batch": 1}, {}),
        ({"alphabet": "rg", "ignored": [3]}, {}),
        ({"decoder": {"name": "beam", "width": 3}}, {}),
    ],
)
def test_outputs_of_every_kind_are_read(tmp_path, parameters, graph):
    weights = scores(graph.pop("order", (0, 1, 2, 3)))
    more = {"time_first": True} if graph.get("time_first") else {}
    graph_recognizer = recognizer(tmp_path, tiny_graph(weights, **graph), **parameters, **more)
    expected = "rg" if "ignored" in parameters else "rgb"
    assert [reading.text for reading in read(graph_recognizer, "r_g_b", "r_g_b")[1]] == [
        expected
    ] * 2


def test_a_text_is_cut_at_the_end_of_sequence(tmp_path):
    graph_recognizer = recognizer(
        tmp_path, tiny_graph(scores()), family="seq2seq", confidence="mean"
    )
    assert [reading.text for reading in read(graph_recognizer, "rg_b", "gr")[1]] == [
        "rrrrgggg",
        "ggggrrrr",
    ]


def test_the_alphabet_of_the_metadata_and_of_a_file(tmp_path):
    graph = tiny_graph(scores(), metadata={"character": "R\nG"})
    graph_recognizer = recognizer(tmp_path, graph, alphabet="", space=True)
    assert read(graph_recognizer, "r_g_b")[1][0].text == "RG "
    (tmp_path / "dict.txt").write_text("blank\nR\nG\nB\n")
    graph_recognizer = recognizer(
        tmp_path, graph, alphabet="", alphabet_file=str(tmp_path / "dict.txt")
    )
    assert read(graph_recognizer, "r_g_b")[1][0].text == "RGB"


def test_the_color_is_read_in_the_order_of_the_input(tmp_path):
    graph_recognizer = recognizer(tmp_path, tiny_graph(scores()), input=INPUT | {"color": "bgr"})
    assert read(graph_recognizer, "r_g_b")[1][0].text == "bgr"


@pytest.mark.parametrize(
    ("graph", "parameters", "fault"),
    [
        (
            {},
            {"input": {"height": 9}},
            "expects x (N, 3, 8, W), but input gives float32 images (N, 3, 9, W); set height",
        ),
        ({}, {"input": INPUT | {"color": "gray"}}, "but input gives float32 images (N, 1, 8, W)"),
        ({"shape": (1, 3, 8, "W")}, {}, "has a batch size of 1; set batch = 1"),
        ({"shape": ("N", 3, 8, 8)}, {}, "cannot read images (1, 3, 8, 4): "),
        ({}, {"alphabet": "rgbrg"}, "has 4 classes, but the alphabet of 5 characters ('rgbrg')"),
        ({}, {"alphabet": "rg"}, "needs 3 with blank or end; set space = true, or give an"),
        ({}, {"alphabet": "rgb", "space": True}, "set space = false, or give an alphabet of 3"),
        ({}, {"alphabet": ""}, "has no characters of its classes in its metadata"),
        ({}, {"output": "z"}, "has no output 'z'; set output to one of 'y'"),
        ({}, {"blank": 4}, "has 4 classes, so class 4 of blank or ignored does not exist"),
    ],
)
def test_a_graph_that_does_not_fit_is_an_error(tmp_path, graph, parameters, fault):
    assert fault in refused(recognizer(tmp_path, tiny_graph(scores(), **graph), **parameters))


def test_a_wrong_time_first_is_detected_with_several_images(tmp_path):
    graph_recognizer = recognizer(tmp_path, tiny_graph(scores(), time_first=True))
    assert "set time_first to its opposite, or batch = 1" in refused(graph_recognizer)


def test_a_gpu_without_its_provider_is_an_error(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has the provider")
    graph_recognizer = recognizer(tmp_path, tiny_graph(scores()))
    with (
        pytest.raises(BenchError, match="has no CUDA provider; install onnxruntime-gpu"),
        graph_recognizer.open(Workplace("cuda", 1, tmp_path)),
    ):
        pass


def test_a_missing_onnxruntime_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    graph_recognizer = recognizer(tmp_path, tiny_graph(scores()))
    with (
        pytest.raises(BenchError, match=r"pip install 'recognition-bench\[onnx\]'"),
        graph_recognizer.open(WORKPLACE),
    ):
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80" * 40,
        b"PK\x03\x04 a zip",
        tiny_graph(scores())[:60],
        b"\x3a\xff\xff\xff\xff\x7f",
    ],
)
def test_a_file_that_is_not_a_graph_is_an_error(tmp_path, content):
    graph_recognizer = recognizer(tmp_path, content)
    with (
        pytest.raises(BenchError, match="is not an ONNX graph with weights"),
        graph_recognizer.open(WORKPLACE),
    ):
        pass


def test_weights_in_other_files_are_an_error(tmp_path):
    graph_recognizer = recognizer(tmp_path, external(tiny_graph(scores())))
    with (
        pytest.raises(BenchError, match="has weights in other files"),
        graph_recognizer.open(WORKPLACE),
    ):
        pass


def test_weights_are_counted():
    graph = read_onnx_file(tiny_graph(scores()), "tiny.onnx")
    assert (graph.parameters, graph.external) == (12, False)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"alphabet_file": "dict.txt"}, "alphabet and alphabet_file are both set"),
        ({"family": "seq2seq", "decoder": "beam"}, "does not support the family 'seq2seq'"),
        ({"input": "pp-orc"}, "there is no preset 'pp-orc'"),
        ({"decoder": "beem"}, "there is no decoder 'beem'; did you mean 'beam'"),
    ],
)
def test_contradicting_parameters_are_an_error(tmp_path, parameters, fault):
    with pytest.raises(BenchError) as raised:
        recognizer(tmp_path, b"", **parameters)
    assert fault in str(raised.value)


def test_the_key_depends_on_the_content_of_the_graph_and_the_decoder(tmp_path):
    beam = {"decoder": {"name": "beam", "width": 3}}
    spec = recognizer(tmp_path, b"a graph", **beam).spec()["parameters"]
    assert list(spec["onnx"]) == ["sha256"]
    assert spec["decoder"]["name"] == "beam"
    assert json.loads(json.dumps(spec)) == spec
    assert spec != recognizer(tmp_path, b"another", **beam).spec()["parameters"]
    assert spec != recognizer(tmp_path, b"a graph").spec()["parameters"]


def test_the_toml_of_a_recognizer_equals_its_parameters(tmp_path):
    graph_recognizer = recognizer(tmp_path, b"", decoder={"name": "beam", "width": 3})
    table = graph_recognizer.toml()
    assert table.pop("name") == "onnx"
    assert registry.make("recognizer", "onnx", table) == graph_recognizer

"""Inputs of networks: their labels, and overrides from a TOML table."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput, parse_input
from bench.core.registry import everything
from bench.core.schema import SchemaError

LINES = ImageInput(64, 0, normalization="unit", margin=(16, 32))


@pytest.mark.parametrize(
    ("model_input", "label"),
    [
        (ImageInput(), "32×100 gray"),
        (ImageInput(width=128, color=True, normalization="imagenet"), "32×128 color, imagenet"),
        (ImageInput(keep_ratio=True), "32×100 gray, ratio kept"),
        (LINES, "64 high gray, margin 16×32, unit"),
        (FrameInput(), "frames as they are"),
        (FrameInput(256, 224), "256×256 cropped to 224×224"),
    ],
)
def test_an_input_has_a_label_for_boards(model_input, label):
    assert model_input.label == label


images = st.builds(
    ImageInput,
    height=st.integers(1, 99),
    width=st.integers(0, 200),
    color=st.sampled_from([True]),
    keep_ratio=st.booleans(),
    normalization=st.sampled_from(["signed", "unit", "imagenet"]),
    margin=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)


@given(images, images)
def test_an_override_keeps_the_default_of_what_it_does_not_name(default, other):
    table = {"width": other.width, "margin": [*other.margin]}
    parsed = parse_input(default, table)
    assert (parsed.width, parsed.margin) == (other.width, other.margin)
    assert parse_input(parsed, {"width": default.width, "margin": [*default.margin]}) == default
    assert parse_input(default, {}) == default


@given(images, images)
def test_a_spec_is_json_and_differs_where_the_input_does(one, other):
    assert json.loads(json.dumps(one.spec())) == one.spec()
    assert (one.spec() == other.spec()) == (one == other)


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ({"widht": 3}, "widht", "did you mean 'width'"),
        ({"width": -1}, "width", "width = -1"),
        ({"height": 0}, "height", "height = 0"),
        ({"normalization": "units"}, "normalization", "did you mean 'unit'"),
        ({"margin": [1]}, "margin", "margin = "),
    ],
)
def test_a_wrong_override_names_its_key(table, key, message):
    with pytest.raises(SchemaError, match=message) as caught:
        parse_input(LINES, table)
    assert caught.value.key == key


def test_what_does_not_go_together_is_refused():
    with pytest.raises(BenchError, match="set color = true"):
        ImageInput(normalization="imagenet")
    with pytest.raises(BenchError, match="crop = 224 is larger than size = 64"):
        parse_input(FrameInput(256, 224), {"size": 64})


def test_every_model_has_an_input_of_its_kind():
    for name, model in everything("model").items():
        assert model.default_input.kind == model.accepts, name


def test_inputs_are_there_without_torch():
    code = "import sys, bench.core.model_input; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The table `input` of recognizers from outside."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.core.model_input import ImageInput
from bench.models.htr_ctc import HtrCTC
from bench.recognizers.inputs.reader_input import (
    PRESETS,
    InputChanges,
    ReaderInput,
    input_of_training,
    parse_input_changes,
)


def parsed(value):
    return parse_input_changes(value).apply(ReaderInput())


def test_a_name_is_a_preset_and_a_table_changes_one():
    assert parsed("pp-ocr") == PRESETS["pp-ocr"]
    changed = parsed({"preset": "pp-ocr", "height": 32, "margin": [1, 2]})
    assert (changed.height, changed.margin, changed.color) == (32, (1, 2), "bgr")
    sizes = parsed({"sizes": [[64, 64], [32, 128]], "color": "gray"}).sizes
    assert sizes == ((64, 64), (32, 128))


def test_a_table_without_a_preset_changes_the_default():
    changes = parse_input_changes({"width": 200})
    assert changes.apply(PRESETS["easyocr"]).width == 200
    assert changes.apply(PRESETS["easyocr"]).height == 64


@pytest.mark.parametrize(
    "value",
    ["pp-ocr", {"preset": "pp-ocr", "height": 32}, {"sizes": [[64, 64], [32, 128]], "pad": 7}],
)
def test_the_toml_of_an_input_equals_its_value(value):
    changes = parse_input_changes(value)
    assert parse_input_changes(changes.toml()) == changes
    assert changes.toml() == value
    assert hash(changes) == hash(parse_input_changes(value))


def test_boards_print_a_short_form_of_an_input():
    assert str(parse_input_changes({"preset": "pp-ocr", "height": 32})) == "pp-ocr height 32"
    assert str(InputChanges()) == ""


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("pp-orc", "there is no preset 'pp-orc'; did you mean 'pp-ocr'?"),
        (7, "write the name of a preset, or a table"),
        ({"hight": 7}, "'input': there is no key 'hight' here; did you mean 'height'?"),
        ({"height": 0}, "Expected `int` >= 1"),
        ({"color": "cmyk"}, "'color = \"cmyk\"' must be one of 'gray', 'rgb', 'bgr'"),
        ({"pad": 256}, "pad"),
        ({"color": "gray", "scaling": "imagenet"}, "needs three channels"),
        ({"width": 100, "keep_ratio": True}, "keep_ratio needs padding"),
        ({"min_width": 320}, "min_width needs padding"),
        ({"width": 100, "pad": "edge", "multiple": 8}, "multiple has an effect only if"),
        ({"sizes": [[64, 64]], "width": 100}, "sizes replaces width and keep_ratio"),
    ],
)
def test_wrong_values_are_an_error(value, fault):
    with pytest.raises(BenchError) as raised:
        parsed(value)
    assert fault.lower() in str(raised.value).lower()


def test_the_input_of_a_training_does_not_read_padding():
    line = input_of_training(HtrCTC.default_input)
    assert (line.height, line.width, line.margin, line.scaling) == (64, 0, (16, 32), "unit")
    assert (line.pad, line.pad_to, line.read_padding) == ("edge", "batch", False)
    word = input_of_training(ImageInput(width=100, keep_ratio=True))
    assert (word.pad, word.keep_ratio, word.color) == (128, True, "gray")
    assert input_of_training(ImageInput()).pad == "none"

"""The JSON Schema of bench.toml: it is current, and accepts what bench accepts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bench.config.toml_schema import toml_schema

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs/reference/bench.schema.json"
TOML = """\
[suite.mine]
protocol = "digits"
datasets = ["seq-digits"]
models = [{ name = "cnn-bilstm", hidden = 48 }]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 8, learning_rate = 0.1 }
"""


@pytest.fixture(scope="module")
def validator():
    schema = toml_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_committed_schema_is_current(home, bench):
    (home / "bench.toml").write_text("")
    assert bench("schema").out == FILE.read_text("utf-8"), (
        "bench schema -o docs/reference/bench.schema.json"
    )


@pytest.mark.parametrize(
    "file",
    [ROOT / "bench.toml", *(ROOT / "bench/scaffolding/templates").glob("*.toml")],
    ids=lambda file: file.name,
)
def test_files_of_bench_are_valid(validator, file):
    assert [*validator.iter_errors(tomllib.loads(file.read_text("utf-8")))] == []


def test_keys_of_every_table_are_valid(validator):
    text = """
plugins = ["my_loss.py"]
[recipe.short]
extends = "long"
augmentation = { name = "handwriting", magnitude = 0.5 }
[recipe.long]
steps = 10
batch_size = 1
learning_rate = 1
augmentation = "none"
[protocol.exact]
unit = "grapheme"
costs = [1, 1, 2]
metrics = ["cer"]
[dataset.own]
kind = "words"
folder = "own"
format = { name = "csv", text = "words" }
labels = { train = ["a.csv", "b.csv"], test = "c.csv" }
group = { folder = 1 }
alphabet = { characters = "abc" }
[suite.mine]
protocol = "exact"
train = ["own", { name = "synth90k", synthetic = true }]
tests = ["own"]
models = [{ name = "crnn", input = { margin = [1, 2] }, recipe = "short", label = "c" }]
losses = ["ctc", { name = "radial-ctc", eta = 0.1, recipe = { epochs = 2 } }]
decoders = ["greedy", { name = "beam", width = 20 }]
recognizers = ["tesseract", { python = "my_reader.py:Reader", parameters = { a = 1 } }]
[suite.mine.sweep]
trials = 3
space.recipe.learning_rate = { loguniform = [1e-4, 1e-2] }
[[suite.mine.tuned]]
model = "crnn"
loss = "ctc"
tuning = { sweep = "k", sampler = "tpe", trials = 1, validations = 2 }
[suite.more]
extends = "mine"
resources = { workers = "auto", gpus = 0.5 }
"""
    assert [*validator.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[suite.mine]", "[suites.mine]"),
        ("[suite.mine]", '[suite."my suite"]'),
        ("models =", "modles ="),
        ('protocol = "digits"\n', ""),
        ('"cnn-bilstm"', '"cnn-bilstn"'),
        ("hidden = 48", "hidden = 0"),
        ("hidden = 48", "hidden = 1.5"),
        ("hidden = 48", "hiden = 48"),
        ('["ctc"]', '"ctc"'),
        ('["ctc"]', '["ctcc"]'),
        ("epochs = 1", 'epochs = "1"'),
        ("epochs = 1", 'optimizer = "adm"'),
        ("learning_rate = 0.1", "learning_rate = 0"),
    ],
)
def test_a_mistake_is_not_valid(validator, old, new):
    assert TOML.count(old) == 1
    assert validator.is_valid(tomllib.loads(TOML))
    assert not validator.is_valid(tomllib.loads(TOML.replace(old, new)))


def test_keys_have_descriptions_and_defaults(validator):
    definitions = validator.schema["$defs"]
    for name in ("suite", "recipe", "resources", "sweep", "protocol", "dataset_table"):
        for key, schema in definitions[name]["properties"].items():
            assert schema["description"], f"{name}.{key}"
    assert definitions["suite"]["properties"]["seeds"]["default"] == [0]
    assert definitions["resources"]["properties"]["workers"]["default"] == 0
    assert definitions["recipe"]["properties"]["betas"]["default"] == [0.9, 0.999]


def test_components_of_plugins_are_in_the_schema(home, bench):
    (home / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from bench.losses.ctc import CTC\n"
        "@dataclass(frozen=True)\n"
        "class Mine(CTC):\n"
        "    name: ClassVar[str] = 'mine'\n"
        "    weight: float = 0.5\n"
    )
    schema = json.loads(bench("--plugin", "mine.py", "schema").out)
    names, *tables = schema["$defs"]["loss"]["anyOf"]
    assert "mine" in names["enum"]
    [table] = [each for each in tables if each["properties"]["name"]["const"] == "mine"]
    assert table["properties"]["weight"] == {"type": "number", "default": 0.5}


def test_a_file_is_written_with_the_line_that_names_it(home, bench):
    answer = bench("schema", "-o", "bench.schema.json")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.endswith(f"{home}/bench.toml: #:schema ./bench.schema.json\n")
    assert json.loads((home / "bench.schema.json").read_text())["title"] == "bench.toml"

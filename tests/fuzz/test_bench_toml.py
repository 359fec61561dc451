"""Whatever is in a bench.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import contents, fuzzed, result_or_sentence
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench.config import bench_toml

OWN = next(
    folder / "bench.toml"
    for folder in (Path(bench.__file__).parent, Path(bench.__file__).parents[1])
    if (folder / "bench.toml").is_file()
)
SMALL = b"""\
[recipe.short]
epochs = 2
batch_size = 32
learning_rate = 3e-3

[protocol.mine]
charset = "abc"
case = "lower"

[dataset.own]
kind = "words"
folder = "own"
splits = { train = 0.8, test = 0.2 }
group = { pattern = "(.)" }

[suite.small]
protocol = "digits"
seeds = [0, 1]
datasets = [{ name = "seq-digits", digits = 2 }]
models = [{ name = "cnn-bilstm", width = 2, label = "x" }]
losses = ["ctc"]
recipe = "short"

[[suite.small.published]]
label = "paper"
source = "there"
scores = { seq-digits = 3.5 }
"""
WORDS = (
    b"[suite.x]\n", b"[[suite.x]]\n", b"[suite]\n", b"extends = 'small'\n", b"= 3\n", b"= {}\n",
    b"= []\n", b"= ''\n", b"= true\n", b"= inf\n", b"= nan\n", b"= 1979-05-27\n", b"= [[1], 'a']\n",
    b"='s3://b/x'\n", b"='~nobody/x'\n", b'="\\u0000"\n', b'="(["\n', b"[" * 3000, b"9" * 5000,
)  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("toml") / "bench.toml"


def load(file, content):
    file.write_bytes(content)
    config = bench_toml.load(file)
    for name in config.tables:
        result_or_sentence(lambda name=name: config.suite(name))
    return config


@fuzzed()
@given(contents(SMALL, words=WORDS))
def test_any_file_is_read_or_refused(file, content):
    result_or_sentence(lambda: load(file, content))


@fuzzed()
@given(st.data())
def test_any_line_of_the_own_file_may_be_another(file, data):
    lines = OWN.read_bytes().splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(contents(lines[place], words=WORDS))
    file.write_bytes(b"".join(lines))
    result_or_sentence(lambda: bench_toml.load(file))

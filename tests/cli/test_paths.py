"""Paths as people write them: `~`, URLs, and names of another encoding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.config import bench_toml
from bench.core.errors import BenchError
from bench.core.local_paths import local_path
from bench.data.store import data_dir

URL = "s3://bucket/x"
OPTIONS = [
    ["--results", URL, "status", "tiny"],
    ["--data", URL, "status", "tiny"],
    ["--config", URL, "status", "tiny"],
    ["--plugin", URL, "status", "tiny"],
    ["status", "tiny", "--plugin", URL],
    ["data", "prepare", "iam", "--source", URL],
    ["data", "show", "iam", "--out", URL],
    ["data", "synth", "iam", "--out", URL],
    ["data", "init", URL],
    ["export", "key", "--out", URL],
    ["pack", "tiny", "--out", URL],
    ["accept", URL],
    ["show", "key", "--out", URL],
    ["score", URL, URL, "--protocol", "htr-raw"],
]


@pytest.mark.parametrize("words", OPTIONS, ids=lambda words: " ".join(words[:3]))
def test_a_url_in_an_option_is_refused(home, bench, words):
    answer = bench(*words)
    assert (answer.code, answer.out) == (2, "")
    [sentence] = answer.err.splitlines()
    assert f"'{URL}' is a URL, but bench reads and writes local files only" in sentence
    assert [file.name for file in home.iterdir()] == ["bench.toml"]


@pytest.mark.parametrize("variable", ["BENCH_RESULTS", "BENCH_DATA"])
def test_a_url_in_a_variable_is_refused(home, bench, monkeypatch, variable):
    monkeypatch.setenv(variable, URL)
    answer = bench("status", "tiny")
    assert answer.code == 2
    assert f"{variable}: '{URL}' is a URL" in answer.err
    assert [file.name for file in home.iterdir()] == ["bench.toml"]


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x", "a\0b"])
def test_a_path_that_cannot_be_is_one_sentence(bench, home, name):
    with pytest.raises(BenchError, match=r"home folder|null character"):
        local_path(name)
    answer = bench("--results", name, "status", "tiny")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1


def test_a_folder_of_another_encoding_holds_records(home, bench):
    name = os.fsdecode(b"caf\xe9")
    answer = bench("--results", name, "status", "tiny")
    assert answer.code == 0
    answer = bench("--results", name, "verify")
    assert "caf\\udce9: there is no record" in answer.err


@pytest.mark.parametrize("variable", ["BENCH_RESULTS", "BENCH_DATA"])
def test_the_home_folder_is_found_in_variables(home, bench, monkeypatch, variable):
    monkeypatch.setenv("HOME", str(home / "me"))
    monkeypatch.setenv(variable, "~/records")
    seen = []

    def seeing(path, results, plugins):
        seen.append(results)
        return load(path, results, plugins)

    load = bench_toml.load
    monkeypatch.setattr(bench_toml, "load", seeing)
    assert bench("status", "tiny").code == 0
    records = home / "me" / "records"
    found = data_dir.data_folder() if variable == "BENCH_DATA" else seen[0]
    assert found == records
    monkeypatch.setenv("BENCH_DATA", "~/records")
    assert data_dir.data_folder() == records


TOML = """
plugins = ["~/plugin.py"]

[protocol.letters]
charset_file = "~/letters.txt"

[dataset.own]
kind = "words"
folder = "~/own"
images = "~/images"

[suite.paths]
protocol = "str-36"
train = ["synth90k"]
tests = ["iiit5k"]
models = ["crnn"]
losses = ["ctc"]
decoders = [{ name = "lexicon", words = "~/words.txt" }, { name = "ngram", arpa = "~/model.arpa" }]
recognizers = [
    { predictions = "~/read.csv" },
    { onnx = "~/graph.onnx", input = "pp-ocr", alphabet_file = "~/letters.txt" },
    { python = "~/reader.py:Reader" },
    { command = ["cat", "~/words.txt"], label = "cat" },
    { huggingface = "~/folder" },
]
recipe = { epochs = 1, batch_size = 64, learning_rate = 0.01 }
"""


FILES = "plugin.py words.txt model.arpa read.csv graph.onnx letters.txt reader.py"


def owned(folder, monkeypatch):
    """Make a home folder that has all files of `TOML`."""
    me = folder / "me"
    (me / "folder").mkdir(parents=True)
    for name in FILES.split():
        (me / name).write_text("1\n")
    monkeypatch.setenv("HOME", str(me))
    return me


def test_the_home_folder_is_found_in_every_path_of_bench_toml(tmp_path, monkeypatch):
    me = owned(tmp_path, monkeypatch)
    (tmp_path / "bench.toml").write_text(TOML)
    config = bench_toml.load(tmp_path / "bench.toml")
    assert config.plugins == (me / "plugin.py",)
    assert config.protocols["letters"].charset == "1"
    assert config.datasets["own"].labels.folder == me / "own"
    suite = config.suite("paths")
    lexicon, ngram = (entry.decoder for entry in suite.entries)
    assert (lexicon.words, ngram.arpa) == (str(me / "words.txt"), str(me / "model.arpa"))
    read, onnx, reader, cat, folder = (entry.recognizer for entry in suite.recognizers)
    assert read.predictions == str(me / "read.csv")
    assert (onnx.onnx, onnx.alphabet_file) == (str(me / "graph.onnx"), str(me / "letters.txt"))
    assert reader.python == f"{me / 'reader.py'}:Reader"
    assert cat.command[1] == str(me / "words.txt")
    assert folder.huggingface == str(me / "folder")
    assert not Path("~").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["~/plugin.py"]', f'["{URL}"]'),
        ('charset_file = "~/letters.txt"', f'charset_file = "{URL}"'),
        ('folder = "~/own"', f'folder = "{URL}"'),
        ('words = "~/words.txt"', 'words = "~nobody-of-this-name/x"'),
    ],
)
def test_a_path_of_bench_toml_that_cannot_be_has_its_line(tmp_path, monkeypatch, before, after):
    owned(tmp_path, monkeypatch)
    file = tmp_path / "bench.toml"
    file.write_text(TOML.replace(before, after))
    line = file.read_text().partition(after)[0].count("\n") + 1
    with pytest.raises(BenchError, match=rf"bench\.toml:{line}: .*(is a URL|home folder)"):
        bench_toml.load(file).suite("paths")

"""`[dataset.NAME]`: what may be declared, and each mistake in one sentence with file and line."""

from __future__ import annotations

import pickle

import pytest

from bench.config import bench_toml
from bench.core.errors import BenchError, Exit

WORDS = """\
[dataset.my-words]
kind = "words"
folder = "scans"
"""
CYRILLIC = '\n[protocol.russian]\ncharset = "абв"\n'


@pytest.fixture
def load(tmp_path):
    """Return a function that reads a bench.toml of this text."""

    def read(text):
        (tmp_path / "bench.toml").write_text(text, encoding="utf-8")
        return bench_toml.load(tmp_path / "bench.toml")

    return read


@pytest.mark.parametrize(
    ("line", "number", "said"),
    [
        ('knd = "words"', 4, "there is no key 'knd' here; did you mean 'kind'?"),
        ('format = "tabs"', 4, "there is no label format 'tabs'; did you mean 'tab'?"),
        ('format = { name = "csv", txt = "x" }', 4, "did you mean 'text'?"),
        ('format = { text = "x" }', 4, "there is no label format 'None'"),
        ('splits = "tests"', 4, "'tests' is not a split; did you mean 'test'?"),
        ("splits = { train = 0.8, test = 0.1 }", 4, "add up to 0.9; they must add up to 1"),
        ("splits = { train = 1.5, test = -0.5 }", 4, "a table of fractions above 0"),
        ("splits = { train = true }", 4, "a table of fractions above 0"),
        ("splits = { train = nan }", 4, "a table of fractions above 0"),
        ("splits = {}", 4, "a table of fractions above 0"),
        ('splits = { seed = "v1" }', 4, "a table of fractions above 0"),
        ("splits = { train = 1.0, seed = 1 }", 4, "must be a text, such as 'v1'"),
        ("splits = { trian = 1.0 }", 4, "'trian' is not a split; did you mean 'train'?"),
        (
            'splits = { column = "set", train = 1 }',
            4,
            'must be { column = "NAME" } and nothing else',
        ),
        ('labels = { trian = "a.txt" }', 4, "'trian' is not a split"),
        ("labels = { train = 1 }", 4, "must be a file, or a list of files"),
        ('labels = { train = "a", test = ["./a"] }', 4, "'./a' is listed for two splits"),
        ('labels = { test = "a" }\nsplits = "test"', 5, "both define the splits; remove one"),
        ('group = { column = "a", folder = 1 }', 4, "must have one of the keys"),
        ('group = { pattern = "(" }', 4, "is not a regular expression"),
        ('group = { colum = "a" }', 4, "did you mean 'column'?"),
        ('alphabet = "str36"', 4, "did you mean 'str-36'?"),
        ('alphabet = "htr-raw"', 4, "lists no characters"),
        ('alphabet = "abca"', 4, "has 'a' twice"),
        ('alphabet = { chars = "abc" }', 4, 'must be { characters = "…" }'),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(load, tmp_path, line, number, said):
    with pytest.raises(BenchError) as caught:
        load(WORDS + line + "\n")
    start = f"{tmp_path / 'bench.toml'}:{number}: [dataset.my-words] "
    assert str(caught.value).startswith(start)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[dataset.iiit5k]\nkind = "words"\nfolder = "x"', ":1: [dataset.iiit5k] bench has a data"),
        ('\n[dataset.MJSynth]\nkind = "words"\nfolder = "x"', ":2: [dataset.MJSynth] bench has"),
        ('[dataset.a-synthetic]\nkind = "words"\nfolder = "x"', "cannot be called 'a-synthetic'"),
        ('[dataset."a/b"]\nkind = "words"\nfolder = "x"', "'a/b' is not a valid name of a data"),
        ('[dataset.".."]\nkind = "words"\nfolder = "x"', "'..' is not a valid name of a data"),
        ('[dataset.a]\nfolder = "x"', "the key 'kind' is missing"),
        ('[dataset.a]\nkind = "words"', "the key 'folder' is missing"),
        ('[dataset.a]\nkind = "words"\nfolder = ""', ":3: [dataset.a] 'folder' is empty"),
        ('[dataset.a]\nkind = "pages"\nfolder = "x"', "must be one of 'words', 'lines', 'clips'"),
        (
            '[dataset.a]\nkind = "clips"\nfolder = "x"\nalphabet = "str-36"',
            ":4: [dataset.a] clips have glosses, not characters",
        ),
        (
            '[dataset.a]\nkind = "clips"\nfolder = "x"\nformat = "icdar"',
            ":4: [dataset.a] format 'icdar' does not list clips",
        ),
        ('dataset = "x"', "a dataset begins with [dataset.NAME]"),
    ],
)
def test_a_table_that_cannot_be_is_refused(load, tmp_path, text, said):
    with pytest.raises(BenchError) as caught:
        load(text)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_folders_are_relative_to_bench_toml_or_to_a_home(load, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    tables = "".join(
        f'[dataset.d{n}]\nkind = "words"\nfolder = "{folder}"\n'
        for n, folder in enumerate(["in", "/abs", "~/mine"])
    )
    folders = [str(each.labels.folder) for each in load(tables).datasets.values()]
    assert folders == [str(tmp_path / "in"), "/abs", "/home/x/mine"]


@pytest.mark.parametrize(
    ("alphabet", "charset"),
    [
        ('"digits"', "0123456789"),
        ('"russian"', "абв"),
        ('"abc"', "abc"),
        ('"a\u0308b"', "äb"),
        ('{ characters = "str-36" }', "str-36"),
    ],
)
def test_an_alphabet_is_a_protocol_or_its_characters(load, alphabet, charset):
    config = load(f"{WORDS}alphabet = {alphabet}\n{CYRILLIC}")
    assert config.datasets["my-words"].alphabet.charset == charset


def test_a_declared_data_set_survives_pickling_and_is_listed_by_suites(load):
    suite = """
[suite.mine]
protocol = "str-36"
train = ["my-words"]
tests = ["iiit5k"]
models = ["crnn"]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 8, learning_rate = 0.01 }
"""
    config = load(WORDS + 'alphabet = "abc"\n' + suite)
    [data] = config.suite("mine").columns[0].train
    assert data == pickle.loads(pickle.dumps(data)) == config.dataset("my-words")  # noqa: S301
    assert (data.name, data.label, data.toml(), data.gives) == (*["my-words"] * 3, "image")
    assert {data} == {config.dataset("my-words")}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('"my-word"', "there is no dataset 'my-word'; did you mean 'my-words'?"),
        ('{ name = "my-words", split = "x" }', "has no parameter 'split'; set it in [dataset."),
    ],
)
def test_a_typo_in_a_suite_finds_the_declared_name(load, entry, said):
    text = f"""{WORDS}
[suite.mine]
protocol = "str-36"
datasets = [{entry}]
models = ["crnn"]
losses = ["ctc"]
"""
    with pytest.raises(BenchError) as caught:
        load(text).suite("mine")
    assert said in str(caught.value)

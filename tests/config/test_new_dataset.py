"""A table is added to bench.toml, and nothing else of the file changes."""

from __future__ import annotations

import tomllib

import pytest

from bench.config.new_dataset import with_dataset
from bench.core.errors import BenchError

KEYS = {"kind": "words", "folder": 'a "b"', "labels": ["x.txt", "y.txt"], "splits": {"column": "s"}}
TABLE = {**KEYS, "labels": ["x.txt", "y.txt"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\n",
        '# first\n[suite.a]   # beside\nabout = "x"\n\n# last',
        '[suite.a]\r\nabout = "x" # é\r\n',
        '[dataset.other]\nkind = "words"\nfolder = "x"\n[suite.a]\nabout = "x"\n',
    ],
)
def test_all_that_was_there_stays_byte_by_byte(text):
    added = with_dataset(text, "my.words", KEYS, ["a comment"])
    assert added.startswith(text.rstrip("\r\n"))
    before = tomllib.loads(text)
    assert tomllib.loads(added) == before | {
        "dataset": before.get("dataset", {}) | {"my.words": TABLE}
    }
    assert added.count("\n") == added.count("\r\n") or "\r" not in added
    assert added.endswith(("# a comment\n", "# a comment\r\n"))


def test_of_a_table_that_is_there_only_how_it_is_read_changes():
    text = (
        "# top\n[dataset.a] # mine\nkind = 'lines'\nfolder = 'old'  # where\nimages = 'x'\n"
        "# letters\nalphabet = 'abc'\n\n# next\n[suite.s]\nabout = 'y'\n"
    )
    changed = with_dataset(text, "a", {"kind": "words", "folder": "new"})
    assert tomllib.loads(changed)["dataset"]["a"] == {
        "kind": "words",
        "folder": "new",
        "alphabet": "abc",
    }
    for kept in ("# top\n", "# mine", "# where", "# letters\n", "# next\n[suite.s]\nabout = 'y'\n"):
        assert kept in changed


@pytest.mark.parametrize("text", ["dataset = {}\n", 'dataset = { b = { kind = "words" } }\n'])
def test_a_file_without_a_place_for_a_table_says_what_to_add(text):
    with pytest.raises(BenchError, match=r"add it yourself: \[dataset\.a\] kind = \"words\""):
        with_dataset(text, "a", {"kind": "words"})

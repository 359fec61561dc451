from __future__ import annotations

import os
from collections import Counter

import pytest

from bench.core.errors import BenchError
from bench.data import cards
from bench.data.datasets import line_splits as splits

LISTS = {
    "trainset.txt": "train",
    "validationset1.txt": "validation",
    "validationset2.txt": "validation",
    "testset.txt": "test",
}


def rows(name):
    text = (cards.cards_folder() / "iam" / f"{name}.txt").read_text()
    return [row.split(" ") for row in text.splitlines() if not row.startswith("#")]


@pytest.mark.parametrize(("name", "validation"), [("rwth-6482", 116), ("rwth-6161", 115)])
def test_each_form_is_in_one_split(name, validation):
    forms = [form for word, form in rows(name) if word != "without"]
    assert len(forms) == len(set(forms)) == 747 + validation + 336
    found = splits.line_splits(name)
    assert set(found.forms) == set(forms)
    assert Counter(found.forms.values()) == {"train": 747, "validation": validation, "test": 336}


def test_the_smaller_split_lacks_a_form_and_321_training_lines():
    larger, smaller = splits.line_splits("rwth-6482"), splits.line_splits("rwth-6161")
    missing = [line for word, line in rows("rwth-6161") if word == "without"]
    assert len(missing) == len(set(missing)) == 321
    assert {larger.get(line) for line in missing} == {"train"}
    assert {smaller.get(line) for line in missing} == {None}
    assert set(larger.forms.items()) - set(smaller.forms.items()) == {("c04-160", "validation")}
    assert set(smaller.forms.items()) < set(larger.forms.items())


def test_lines_are_in_the_split_of_their_form_unless_listed():
    found = splits.line_splits("rwth-6161")
    assert found.get("a01-003-09") == "train"
    assert found.get("a01-003-10") is None
    assert found.get("c04-160-00") is None
    assert found.get("z99-999-00") is None


@pytest.mark.parametrize(("alias", "name"), [("IAM-A", "rwth-6161"), ("iam-b", "rwth-6482")])
def test_aliases(alias, name):
    assert splits.line_splits(alias) == splits.line_splits(name)


@pytest.mark.parametrize("name", ["aachen", "Aachen", "rwth"])
def test_an_ambiguous_name_is_refused_with_both_splits(name):
    with pytest.raises(BenchError, match=r"'rwth-6482'.*'rwth-6161'"):
        splits.line_splits(name)


def test_a_typo_is_reported_with_the_nearest_name():
    with pytest.raises(BenchError, match=r"no split 'rwth-6428' of IAM; did you mean 'rwth-6482'"):
        splits.line_splits("rwth-6428")


@pytest.fixture
def distribution(tmp_path):
    """Return a folder with the four lists of the distribution, of two lines each."""
    folder = tmp_path / splits.TASK
    folder.mkdir()
    for number, name in enumerate(LISTS):
        (folder / name).write_text(f"x00-00{number}-00\r\nx00-00{number}-01\n\n")
    return tmp_path


def test_the_official_lists_are_read_from_the_raw_data_set(distribution):
    for folder in (distribution, distribution / splits.TASK):
        found = splits.line_splits("official", folder)
        for number, split in enumerate(LISTS.values()):
            assert found.get(f"x00-00{number}-01") == split
        assert found.get("x00-000-02") is None


def test_missing_official_lists_are_an_error(distribution):
    with pytest.raises(BenchError, match=r"unpack large.*\.zip and name the folder"):
        splits.line_splits("official")
    (distribution / splits.TASK / "testset.txt").unlink()
    with pytest.raises(BenchError, match=r"testset\.txt does not exist; unpack"):
        splits.line_splits("official", distribution)


def test_contradicting_official_lists_are_refused(distribution):
    (distribution / splits.TASK / "testset.txt").write_text("x00-000-00\n")
    with pytest.raises(BenchError, match="line 'x00-000-00' is also in the list of 'train'"):
        splits.line_splits("official", distribution)


def test_official_lists_may_have_utf_16_and_carriage_returns(distribution):
    file = distribution / splits.TASK / "testset.txt"
    file.write_bytes("x00-009-00\rx00-009-01\r".encode("utf-16"))
    assert splits.line_splits("official", distribution).get("x00-009-01") == "test"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: file.write_bytes(b"a\n\xff\n"), r"testset\.txt:2: it is neither UTF-8"),
        (os.mkfifo, r"testset\.txt: it cannot be read \(a named pipe"),
        (lambda file: file.mkdir(), r"testset\.txt: it cannot be read \(Is a directory"),
    ],
)
def test_official_lists_that_are_not_text_are_refused(distribution, make, message):
    file = distribution / splits.TASK / "testset.txt"
    file.unlink()
    make(file)
    with pytest.raises(BenchError, match=message):
        splits.line_splits("official", distribution)

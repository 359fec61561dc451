"""Folders of Kaldi, and tables of PyLaia: ids, symbols and paths of images."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.token_tables import Kaldi, PyLaia


def listed(format_, root, images=None):
    data = open_data_folder(root, images)
    return [row for labels in format_.find(data) for row in format_.rows(labels, data)]


def test_a_folder_of_kaldi_has_texts_paths_and_writers(write):
    root = write(
        {
            "data/train/text": "w1-a Two  words\r\nw2-b \u00a0x\n\n",
            "data/train/images.scp": "w1-a imgs/a b.png\nw2-b imgs/b.png\n",
            "data/train/utt2spk": "w1-a w1\nw2-b w2\n",
            "imgs/a b.png": b"a",
            "imgs/b.png": b"b",
        }
    )
    first, second = listed(Kaldi(), root)
    assert (first.id, first.text) == ("data/train/w1-a", "Two  words")
    assert first.columns == {"writer": "w1"}
    assert first.images.load() == (b"a",)
    assert (second.text, second.images.load()) == ("\u00a0x", (b"b",))


def test_no_command_of_kaldi_is_run_and_no_path_leads_out(write):
    root = write(
        {
            "text": "a x\nb x\nc x\nd x\ne\n",
            "images.scp": "a touch ran |\nb ../x.png\nc | touch ran\ne e.png\n",
            "e.png": b"e",
        }
    )
    *rejected, last = listed(Kaldi(), root)
    assert rejected == [
        Rejected("a", "an image that is the output of a command"),
        Rejected("b", "a path out of the data set's folder"),
        Rejected("c", "an image that is the output of a command"),
        Rejected("d", "an id that is not in images.scp"),
    ]
    assert (last.id, last.text, last.columns) == ("e", "", {"writer": ""})


def test_kaldi_needs_both_files(write):
    root = write({"a/text": "x y", "b/images.scp": "x y"})
    assert Kaldi().find(open_data_folder(root)) == []
    with pytest.raises(BenchError, match=r"images\.scp is missing"):
        list(Kaldi().rows(root / "a", open_data_folder(root)))


def test_symbols_of_pylaia_are_concatenated_and_suffixes_may_be_missing(write):
    root = write(
        {
            "lists/train.txt": "# mine\ntrain/im1 T w o <space> w \u00e9\ntrain/im2 \u00a0 b\n",
            "lists/test.txt": "test/im1.jpg o <space> k\n",
            "imgs/train/im1.png": b"1",
            "imgs/train/im2.jpg": b"2",
            "imgs/test/im1.jpg": b"3",
        }
    )
    third, first, second = listed(PyLaia(), root)
    assert (first.id, first.text) == ("imgs/train/im1.png", "Two w\u00e9")
    assert (second.id, second.text) == ("imgs/train/im2.jpg", "\u00a0b")
    assert (third.id, third.text) == ("imgs/test/im1.jpg", "o k")
    assert [row.images.load() for row in (first, second, third)] == [(b"1",), (b"2",), (b"3",)]


def test_a_row_of_pylaia_whose_image_is_missing_or_outside(write):
    root = write({"a.txt": "im1 a <space> b\n../im1 a\nim2\n", "im2.png": b""})
    first, second, third = listed(PyLaia(), root)
    assert (first.id, first.images.exists()) == ("im1", False)
    assert second == Rejected("a.txt:2", "a path out of the data set's folder")
    assert (third.id, third.text) == ("im2.png", "")


def test_the_symbol_of_a_space_may_be_another(write):
    root = write({"a.txt": "im1 a {space} b\n", "im1.png": b"1"})
    assert listed(PyLaia(), root) == []
    assert [row.text for row in listed(PyLaia("{space}"), root)] == ["a b"]


@pytest.mark.parametrize("row", ["im1 two words", "im1 a b c", "im1 <space> word", ""])
def test_other_lists_are_not_tables_of_symbols(write, row):
    assert PyLaia().find(open_data_folder(write({"a.txt": row}))) == []

"""The format of Bentham: one text file per line, and lists of splits."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected
from bench.data.raw.labels.bentham import Bentham
from bench.data.raw.labels.data_folder import open_data_folder

FILES = {
    "Transcriptions/002_01.txt": "\ufeffTwo words \r\n",
    "Transcriptions/002_02.txt": b"\xff",
    "Transcriptions/003_01.txt": "x",
    "Images/Lines/002_01.png": b"1",
    "Images/Lines/003_01.jpg": b"2",
    "Partitions/TrainLines.lst": "002_01\n002_02\n",
    "Partitions/TestLines.lst": "003_01\n",
}


def listed(root):
    data = open_data_folder(root)
    return [row for labels in Bentham().find(data) for row in Bentham().rows(labels, data)]


def test_each_line_has_a_text_an_image_and_the_name_of_its_list(write):
    first, second, third = listed(write({f"GT/{name}": FILES[name] for name in FILES}))
    assert (first.id, first.text) == ("GT/Images/Lines/002_01.png", "Two words")
    assert first.columns == {"split": "train"}
    assert first.images.load() == (b"1",)
    assert second == Rejected("GT/Transcriptions/002_02.txt", "a text that is not UTF-8")
    assert (third.columns, third.images.load()) == ({"split": "test"}, (b"2",))


def test_a_line_in_two_lists_is_an_error(write):
    root = write(FILES | {"Partitions/Validation.lst": "003_01\n"})
    with pytest.raises(BenchError, match=r"Validation.lst: '003_01' is also in TestLines.lst"):
        listed(root)


def test_a_line_without_an_image_or_a_text_inside_the_folder(write):
    root = write(FILES | {"Transcriptions/004_01.txt": "y"})
    (root.parent / "secret.txt").write_text("secret")
    (root / "Transcriptions" / "005_01.txt").symlink_to(root.parent / "secret.txt")
    *_, without, linked = listed(root)
    assert not without.images.exists()
    assert linked == Rejected("Transcriptions/005_01.txt", "a file outside the data set's folder")


def test_metadata_of_macos_is_ignored_and_texts_may_be_utf_16(write):
    added = {"Transcriptions/._002_01.txt": b"\0\5", "Partitions/._TrainLines.lst": b"\0\5"}
    utf_16 = {"Transcriptions/003_01.txt": "Öl".encode("utf-16")}
    assert [row.id for row in listed(write(FILES | added | utf_16))] == [
        "Images/Lines/002_01.png",
        "Transcriptions/002_02.txt",
        "Images/Lines/003_01.jpg",
    ]
    assert listed(write({}))[2].text == "Öl"

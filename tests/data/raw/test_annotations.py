"""Annotation files of Synth90k: words from names or the lexicon, and rejected rows."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.raw.annotations import Annotations
from bench.data.raw.entries import Entry, Rejected, SampleError

LEXICON = "zero\nslinking\nBolts\n\n"


@pytest.fixture
def sample(write):
    """Return a function that reads the only row of an annotation file."""

    def read(row, lexicon=LEXICON, **more):
        files = {"annotation_train.txt": row, "lexicon.txt": lexicon}
        root = write({name: content for name, content in files.items() if content is not None})
        [found] = Annotations(root, **more).entries("train")
        return found

    return read


def test_parts_are_the_existing_annotation_files(write):
    root = write({"annotation_test.txt": "", "annotation_train.txt": "", "lexicon.txt": ""})
    assert Annotations(root).parts == ("train", "test")
    write({"annotation_val.txt": ""})
    assert Annotations(root).parts == ("train", "validation", "test")


def test_a_word_is_read_from_a_name_and_keeps_its_case(sample):
    found = sample("./3000/7/182_SLINKING_1.jpg 1\n")
    assert found[:2] == ("3000/7/182_SLINKING_1", "SLINKING")
    assert found.more == {}


def test_a_word_that_is_not_in_the_name_is_read_from_the_lexicon(sample):
    assert sample("./test/1002_1.jpg 2\n")[:2] == ("test/1002_1", "Bolts")
    assert sample("word.png 0")[:2] == ("word", "zero")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("./test/12_5_0.jpg 0", "zero"),
        ("./test/12_slinking_0.jpg 0", "zero"),
        ("./test/12_bolts_2.jpg 2", "bolts"),
        ("./test/12_BOLTS_2.jpg 2", "BOLTS"),
        ("./tést/12_BOLTS_2.jpg 2", "BOLTS"),
    ],
)
def test_a_word_of_a_name_has_to_be_that_of_the_lexicon(sample, row, word):
    assert sample(row).text == word


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_of_other_systems_are_read(write, encoding, end):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    files = {
        "annotation_test.txt": [
            "./test/a0.jpg 1",
            "test\\a1.jpg 2",
            "test/a2.jpg\t0",
            "t/ä 3.png 0",
        ],
        "lexicon.txt": ["zero", "Öne", "two"],
    }
    root = write(
        {name: f"{mark}{end.join(rows)}{end}".encode(encoding) for name, rows in files.items()}
    )
    found = list(Annotations(root).entries("test"))
    assert [entry[:2] for entry in found] == [
        ("test/a0", "Öne"),
        ("test/a1", "two"),
        ("test/a2", "zero"),
        ("t/ä 3", "zero"),
    ]


def test_equal_stems_keep_their_suffixes(write):
    rows = ["t/a.jpg 0", "t/a.png 1", "t/b.png 1", "t/c.png 0", "t/c.gif 1", "t/d.jpg 0"]
    root = write({"annotation_test.txt": "\n".join(rows), "lexicon.txt": LEXICON})
    write({row.split()[0]: row for row in rows})
    found = list(Annotations(root).entries("test"))
    assert [entry.id for entry in found] == ["t/a", "t/a.png", "t/b", "t/c.png", "t/c.gif", "t/d"]
    assert [entry.load() for entry in found] == [(row.encode(),) for row in rows]


@pytest.mark.parametrize("name", ["7_other_2.jpg", "img_other_1.jpg", "7_an_other_1.jpg"])
def test_a_name_of_another_form_has_no_word(sample, name):
    assert sample(f"./a/{name} 1").text == "slinking"


def test_without_a_lexicon_names_have_the_words(sample):
    assert sample("./1/1_word_90000.jpg 90000", lexicon=None).text == "word"
    assert "no lexicon.txt" in sample("./1/1.jpg 90000", lexicon=None).reason


def test_pixels_are_those_of_the_file(write):
    root = write({"annotation_test.txt": "./t/1.jpg 0\n./t/2.jpg 0\n", "lexicon.txt": "w\n"})
    write({"t/1.jpg": b"pixels"})
    first, second = Annotations(root).entries("test")
    assert first.load() == (b"pixels",)
    with pytest.raises(SampleError, match="a file that is missing"):
        second.load()


def test_entries_are_in_the_order_of_rows_without_blank_ones(write):
    rows = ["./1/1_b_0.jpg 0", "", "./1/2_a_1.jpg 1\r", "  ", "nothing"]
    root = write({"annotation_val.txt": "\n".join(rows)})
    ids = [found.id for found in Annotations(root).entries("validation")]
    assert ids == ["1/1_b_0", "1/2_a_1", "annotation_val.txt:5"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("../up/1_w_0.jpg 0", "a path out of the data set's folder"),
        ("./1/../../1_w_0.jpg 0", "a path out of the data set's folder"),
        ("/etc/1_w_0.jpg 0", "a path out of the data set's folder"),
        ("..\\1_w_0.jpg 0", "a path out of the data set's folder"),
        ("./1/1_w_0.jpg", "a row that is not a path and the number of a word"),
        ("./1/1_w_0.jpg -1", "a row that is not a path and the number of a word"),
        ("./1/1_w_0.jpg one", "a row that is not a path and the number of a word"),
        ("./1/1.jpg " + "9" * 5000, "a row that is not a path and the number of a word"),
        ("./1/.hidden.jpg 0", "a row that is not a path and the number of a word"),
        ("./1/\x1b]0;owned\x07.jpg 0", "a row with a control character"),
        ("./1/1_\x1b[2J_0.jpg 0", "a row with a control character"),
        (
            "./1/1.jpg 0".encode("utf-16-le"),
            "a row with NUL characters, as of UTF-16 without a byte order mark; save it as UTF-8",
        ),
        (b"./1/1_\xff_0.jpg 0", "a row that is not UTF-8"),
        (b"./1/\xff.jpg 0", "a row that is not UTF-8"),
    ],
)
def test_a_row_without_a_sample_is_named_by_its_file_and_line(sample, row, reason):
    before = "\n\n" if isinstance(row, str) else b"\n\n"
    assert sample(before + row) == Rejected("annotation_train.txt:3", reason)


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        ("./1/1_w_5.jpg 5", "1/1_w_5", "a number beyond the 4 words of lexicon.txt"),
        ("./1/1.jpg 4", "1/1", "a number beyond the 4 words of lexicon.txt"),
        ("./1/1.jpg 3", "1/1", "an empty line of lexicon.txt"),
    ],
)
def test_a_sample_without_a_word_is_named_by_its_path(sample, row, name, reason):
    assert sample(row) == Rejected(name, reason)


@pytest.mark.parametrize("name", ["1_w_0", "1"])
def test_images_known_to_be_unreadable_are_rejected(sample, name):
    found = sample(f"./2/{name}.jpg 0", unreadable=[f"2/{name}"])
    assert found == Rejected(f"2/{name}", "an image that is known to be unreadable")


def test_a_folder_without_annotation_is_an_error_with_the_expected_files(write):
    with pytest.raises(BenchError) as raised:
        Annotations(write({"readme": ""}))
    for name in ("annotation_train.txt", "annotation_val.txt", "mnt/ramdisk/max/90kDICT32px"):
        assert name in str(raised.value)


def test_the_release_is_found_in_its_archives_folders(write):
    root = write({"readme": "", "mnt/ramdisk/max/90kDICT32px/annotation_test.txt": "1.jpg 0"})
    assert Annotations(root).parts == ("test",)


def test_a_lexicon_that_is_not_utf_8_is_an_error_with_its_line(sample):
    with pytest.raises(BenchError, match=r"lexicon.txt: line 2 is not UTF-8"):
        sample("./1.jpg 0", lexicon=b"one\ntw\xff\n")


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.from_regex(rb"(\./)?[a./\\_0-9-]{0,9}_?(\.jpg)? -?[0-9]{0,3}"),
        )
    )
)
def test_every_row_is_a_sample_or_is_rejected(tmp_path_factory, rows):
    root = tmp_path_factory.mktemp("tree")
    (root / "annotation_train.txt").write_bytes(b"\n".join(rows))
    (root / "lexicon.txt").write_text("one\ntwo")
    for found in Annotations(root).entries("train"):
        assert isinstance(found, Entry | Rejected)
        found.id.encode()
        if isinstance(found, Entry):
            assert found.text.encode()
            assert ".." not in found.id.split("/")
            assert not found.id.startswith("/")
            with pytest.raises(SampleError):
                found.load()


@pytest.mark.skipif("BENCH_TEST_DATA" not in os.environ, reason="BENCH_TEST_DATA names no folder")
def test_iiit5k_has_its_five_thousand_words(tmp_path):
    with tarfile.open(Path(os.environ["BENCH_TEST_DATA"], "iiit5k.tar")) as archive:
        archive.extractall(tmp_path, filter="data")
    layout = Annotations(tmp_path)
    found = {part: list(layout.entries(part)) for part in layout.parts}
    assert {part: len(entries) for part, entries in found.items()} == {"train": 2000, "test": 3000}
    assert found["train"][0][:2] == ("train/1009_2", "You")
    assert all(entry.text.isupper() or not entry.text.isalpha() for entry in found["test"])
    for entry in [*found["train"][::100], *found["test"][::100]]:
        [content] = entry.load()
        assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape[0] <= 64

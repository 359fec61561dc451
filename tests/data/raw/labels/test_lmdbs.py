"""LMDBs as labels: numbers, keys that are missing or too many, images in them and beside them."""

from __future__ import annotations

import json

import lmdb
import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.label_format import Row
from bench.data.raw.labels.lmdbs import Lmdb


def samples(count, start=1):
    """Return the keys of an LMDB of so many samples."""
    found = {"num-samples": str(count)}
    for number in range(start, start + count):
        found[f"image-{number:09d}"] = f"pixels {number}"
        found[f"label-{number:09d}"] = f"Wört {number}"
    return found


@pytest.fixture
def lmdbs(write):
    """Return a function that writes an LMDB, a folder or a file, and returns the whole folder."""

    def write_all(keys, name="data", *, is_folder=True):
        root = write({f"{name}/x" if is_folder and name else "x": ""})
        place = root / name
        with (
            lmdb.open(str(place), map_size=2**24, subdir=is_folder) as environment,
            environment.begin(write=True) as transaction,
        ):
            for key, value in keys.items():
                transaction.put(key.encode(), value.encode() if isinstance(value, str) else value)
        return root

    return write_all


def listed(root):
    data = open_data_folder(root)
    return [row for labels in Lmdb().find(data) for row in Lmdb().rows(labels, data)]


def fault(root):
    with pytest.raises(BenchError) as raised:
        listed(root)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "is_folder", "prefix"),
    [
        ("train", True, "train/"),
        ("words.lmdb", True, "words.lmdb/"),
        ("words.lmdb", False, "words.lmdb/"),
        ("", True, ""),
    ],
)
def test_an_lmdb_is_a_folder_or_a_file(lmdbs, name, is_folder, prefix):
    found = listed(lmdbs(samples(3), name, is_folder=is_folder))
    assert [row.id for row in found] == [f"{prefix}{number:09d}" for number in (1, 2, 3)]
    assert [row.text for row in found] == ["Wört 1", "Wört 2", "Wört 3"]
    assert [row.images.load() for row in found] == [(b"pixels %d" % n,) for n in (1, 2, 3)]
    assert all(row.images.exists() for row in found)


def test_further_keys_are_not_read(lmdbs):
    keys = samples(2) | {"wh-000000001": "900_48", "wh-000000002": "90_32"}
    assert [row.text for row in listed(lmdbs(keys))] == ["Wört 1", "Wört 2"]


def test_a_number_of_samples_may_end_with_a_line_feed(lmdbs):
    assert len(listed(lmdbs(samples(4) | {"num-samples": b"4\n"}))) == 4


def test_sample_0_is_read_if_it_exists(lmdbs):
    found = listed(lmdbs(samples(3, start=0)))
    assert [(row.id, row.text) for row in found] == [
        (f"data/{number:09d}", f"Wört {number}") for number in range(3)
    ]
    assert found[0].images.load() == (b"pixels 0",)


def test_labels_beyond_the_number_of_samples_are_rejected(lmdbs):
    found = listed(lmdbs(samples(5) | {"num-samples": "2"}))
    assert [row.text for row in found[:2]] == ["Wört 1", "Wört 2"]
    assert found[2:] == [
        Rejected(f"data/{number:09d}", "a label beyond num-samples") for number in (3, 4, 5)
    ]


def test_a_sample_without_a_key_is_named(lmdbs):
    keys = samples(4)
    del keys["image-000000002"], keys["label-000000003"]
    keys["label-000000004"] = b"\xff"
    first, second, third, fourth = listed(lmdbs(keys))
    assert first.images.exists()
    assert not second.images.exists()
    with pytest.raises(SampleError, match="no key of its image"):
        second.images.load()
    assert third == Rejected("data/000000003", "no key of its label")
    assert fourth == Rejected("data/000000004", "a label that is not UTF-8")


@pytest.mark.parametrize("said", ["5", "five", "", "-1", "1e3"])
def test_an_implausible_number_of_samples_is_an_error(lmdbs, said):
    keys = {"num-samples": said, "image-000000001": "", "label-000000001": ""}
    assert "its num-samples is " in fault(lmdbs(keys))


def test_labels_of_mmocr_may_name_image_files(lmdbs, write):
    keys = {"num-samples": "3"}
    for number, record in enumerate(
        ({"filename": "a/1.jpg", "text": "two words"}, {"filename": "../x", "text": "a"}, 3), 1
    ):
        keys[f"label-{number:09d}"] = json.dumps(record)
    root = lmdbs(keys, "labels.lmdb")
    write({"images/a/1.jpg": b"pixels"})
    first, second, third = listed(root)
    assert (first.id, first.text) == ("images/a/1.jpg", "two words")
    assert first.images.load() == (b"pixels",)
    assert second == Rejected("labels.lmdb/000000002", "a path out of the data set's folder")
    assert third == Rejected(
        "labels.lmdb/000000003", "a label without the path of an image file and a text"
    )


def test_older_lmdbs_of_mmocr_have_labels_from_0(lmdbs, write):
    keys = {"total_number": "2", "0": "a/1.jpg two words\n", "1": '{"filename":"2.jpg","text":"x"}'}
    root = lmdbs(keys, "labels.lmdb")
    write({"a/1.jpg": b"1", "2.jpg": b"2"})
    assert [(row.id, row.text) for row in listed(root)] == [
        ("a/1.jpg", "two words"),
        ("2.jpg", "x"),
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"a": "b"}, "has no key num-samples, but other keys"),
        (
            {"__len__": b"\x80\x04K\x05."},
            "pickled values of PaddleOCR, which bench does not unpickle",
        ),
        (
            {"num-samples": "1", "image_hr-000000001": "x", "label-000000001": "y"},
            "has pairs of images in low and high resolution",
        ),
        ({"total_number": "9", "0": "1.jpg x"}, "total_number is not the number of its labels"),
    ],
)
def test_other_lmdbs_are_refused_with_their_content(lmdbs, keys, said):
    assert said in fault(lmdbs(keys))


def test_a_json_label_is_a_text_if_there_are_images(lmdbs):
    keys = samples(1) | {"label-000000001": '{"filename": "a", "text": "b"}'}
    [found] = listed(lmdbs(keys))
    assert isinstance(found, Row)
    assert found.text == '{"filename": "a", "text": "b"}'
    assert found.images.load() == (b"pixels 1",)


def test_files_of_other_content_are_not_labels(lmdbs, write):
    root = write({"a/data.mdb": b"no LMDB" * 1000, "b.lmdb": b"", "c.lmdb/readme.txt": ""})
    assert Lmdb().find(open_data_folder(root)) == []


def test_a_page_of_an_lmdb_that_is_damaged_is_an_error(lmdbs):
    root = lmdbs(samples(1000))
    file = root / "data" / "data.mdb"
    content = file.read_bytes()
    file.write_bytes(content[:8192] + bytes(len(content) - 8192))
    assert "cannot be read" in fault(root)

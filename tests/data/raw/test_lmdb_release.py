"""LMDBs of scene text: samples of complete ones, and errors of broken ones."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import lmdb
import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.lmdb_release import LmdbRelease


def keys(count):
    """Return the keys of an LMDB of `count` samples."""
    samples = {}
    for number in range(1, count + 1):
        samples[f"image-{number:09d}"] = b"pixels %d" % number
        samples[f"label-{number:09d}"] = f"Wört{number}".encode()
    return {"num-samples": str(count).encode(), **samples}


@pytest.fixture
def database(tmp_path):
    """Return a function that writes keys into an LMDB and returns the folder of all LMDBs."""
    root = tmp_path / "a" / "b" / "c" / "source"

    def write(found, name="test/SVT"):
        folder = root / name
        folder.mkdir(parents=True)
        with (
            lmdb.open(str(folder), map_size=2**24) as environment,
            environment.begin(write=True) as transaction,
        ):
            for key, value in found.items():
                transaction.put(key.encode(), value)
        return root

    return write


def opened(root):
    return LmdbRelease(root, {"test": ["evaluation/SVT", "test/SVT", "SVT"]})


def fault(found, database):
    with pytest.raises(BenchError) as raised:
        opened(database(found))
    message = str(raised.value)
    assert "test/SVT/data.mdb: " in message
    assert message.endswith("copy or download this LMDB again")
    return message


def test_ids_are_the_name_of_the_folder_and_numbers(database):
    layout = opened(database(keys(12)))
    found = list(layout.entries("test"))
    assert layout.parts == ("test",)
    assert [entry.id for entry in found] == [f"SVT/{number:09d}" for number in range(1, 13)]
    assert [entry.text for entry in found] == [f"Wört{number}" for number in range(1, 13)]
    assert found[10].load() == (b"pixels 11",)


def test_images_stay_in_their_lmdb(database):
    root = database(keys(1))
    assert opened(root).database("test") == root / "test" / "SVT"


def test_an_lmdb_with_numbers_from_0_is_copied(database):
    found = {"num-samples": b"2\n"}
    for number in (0, 1):
        found[f"image-{number:09d}"] = b"pixels %d" % number
        found[f"label-{number:09d}"] = b"word %d" % number
    layout = opened(database(found))
    entries = list(layout.entries("test"))
    assert [entry.text for entry in entries] == ["word 0", "word 1"]
    assert [entry.load() for entry in entries] == [(b"pixels 0",), (b"pixels 1",)]
    assert layout.database("test") is None


def test_partitions_are_the_existing_ones_by_their_most_likely_folder(database):
    database(keys(2), "training/MJ/MJ_train")
    root = database(keys(1), "training/MJ_train")
    folders = {"train": ["MJ/MJ_train", "MJ_train"], "validation": ["MJ/MJ_valid"]}
    layout = LmdbRelease(root, folders)
    assert layout.parts == ("train",)
    assert len(list(layout.entries("train"))) == 2


@pytest.mark.parametrize("named", ["", "test", "test/SVT"])
def test_the_release_the_folder_above_or_the_lmdb_itself_may_be_named(database, named):
    assert len(list(opened(database(keys(3)) / named).entries("test"))) == 3


def test_a_missing_lmdb_is_an_error_with_the_expected_names(tmp_path):
    with pytest.raises(BenchError, match=r"no LMDB .* called evaluation/SVT, test/SVT, SVT in it"):
        opened(tmp_path)


def test_two_readers_may_read_one_lmdb(database):
    root = database(keys(2))
    first, second = opened(root), opened(root)
    assert [entry.text for entry in first.entries("test")] == ["Wört1", "Wört2"]
    assert [entry.load() for entry in second.entries("test")] == [(b"pixels 1",), (b"pixels 2",)]


def test_images_are_read_in_any_thread(database):
    entries = list(opened(database(keys(500))).entries("test"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda entry: entry.load()[0], entries * 4))
    assert found == [b"pixels %d" % number for number in range(1, 501)] * 4


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_can_read_after_a_fork(database):
    entries = opened(database(keys(20))).entries("test")
    before = next(entries)
    child = os.fork()
    if not child:
        rest = [entry.load() for entry in (before, *entries)]
        os._exit(rest != [(b"pixels %d" % number,) for number in range(1, 21)])
    assert os.waitpid(child, 0)[1] == 0
    assert before.load() == (b"pixels 1",)
    assert len(list(entries)) == 19


def test_a_truncated_lmdb_is_an_error_and_not_a_crash(database):
    root = database(keys(1000))
    file = root / "test" / "SVT" / "data.mdb"
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(BenchError, match=r"SVT/data.mdb: it is truncated"):
        opened(root)


def test_a_file_that_is_not_an_lmdb_is_an_error(database):
    root = database(keys(1))
    (root / "test" / "SVT" / "data.mdb").write_bytes(b"no LMDB at all" * 1000)
    with pytest.raises(BenchError, match=r"SVT/data.mdb: this is not an LMDB"):
        opened(root)


def test_an_lmdb_with_damaged_pages_is_an_error(database):
    root = database(keys(1000))
    file = root / "test" / "SVT" / "data.mdb"
    content = file.read_bytes()
    file.write_bytes(content[:8192] + bytes(len(content) - 8192))
    with pytest.raises(BenchError, match=r"SVT/data.mdb: its key num-samples cannot be read"):
        opened(root)


def test_a_missing_number_of_samples_is_an_error(database):
    found = keys(3)
    del found["num-samples"]
    assert "it has no key num-samples" in fault(found, database)


@pytest.mark.parametrize("said", [b"", b"three", b"-3", b"3.5", b"9" * 30, "³".encode()])
def test_an_invalid_number_of_samples_is_an_error(database, said):
    found = keys(3) | {"num-samples": said}
    assert "its num-samples is not a number of samples" in fault(found, database)


def test_the_value_of_an_invalid_number_of_samples_is_reported(database):
    assert r"but b'\x1b4\n';" in fault(keys(3) | {"num-samples": b"\x1b4\n"}, database)


def test_a_number_of_samples_may_end_with_a_line_feed(database):
    found = opened(database(keys(4) | {"num-samples": b"4\n"})).entries("test")
    assert len(list(found)) == 4


def test_samples_beyond_the_number_of_samples_are_rejected_by_name(database):
    found = list(opened(database(keys(5) | {"num-samples": b"2"})).entries("test"))
    assert [entry.id[-1] for entry in found] == [*"12345"]
    assert found[2:] == [
        Rejected(f"SVT/{number:09d}", "a label beyond num-samples") for number in (3, 4, 5)
    ]


@pytest.mark.parametrize("name", ["SVT", "SVT.lmdb", "SVT.mdb"])
def test_an_lmdb_may_be_a_single_file(tmp_path, database, name):
    folder = database(keys(3)) / "test" / "SVT"
    (tmp_path / "single").mkdir()
    (folder / "data.mdb").rename(tmp_path / "single" / name)
    layout = opened(tmp_path / "single")
    assert [entry.id for entry in layout.entries("test")] == [
        f"SVT/{number:09d}" for number in (1, 2, 3)
    ]
    assert [entry.load() for entry in layout.entries("test")][2] == (b"pixels 3",)
    assert layout.database("test") == tmp_path / "single" / name


def test_more_samples_than_keys_are_an_error(database):
    found = keys(3) | {"num-samples": b"900000000"}
    assert "its num-samples is 900000000, and it has 6 other keys" in fault(found, database)


def test_a_sample_that_lacks_a_key_is_named_and_the_others_are_read(database):
    found = keys(4)
    del found["label-000000002"], found["image-000000003"]
    first, second, third, fourth = opened(database(found)).entries("test")
    assert second == Rejected("SVT/000000002", "no key of its label")
    with pytest.raises(SampleError, match="no key of its image"):
        third.load()
    assert first.load() == (b"pixels 1",)
    assert fourth.text == "Wört4"


def test_a_label_that_is_not_utf_8_is_named(database):
    [found] = opened(database(keys(1) | {"label-000000001": b"\xff"})).entries("test")
    assert found == Rejected("SVT/000000001", "a label that is not UTF-8")

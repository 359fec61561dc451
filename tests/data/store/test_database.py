"""LMDBs: broken, shared, and inherited by a fork."""

from __future__ import annotations

import gc
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.core.errors import BenchError, Exit
from bench.data.store.database import FILE, LmdbWriter, lmdb_key, open_database
from bench.data.store.partition import Partition
from bench.data.store.prepared import Prepared

from ..conftest import jpeg, listed

Prepare = Callable[..., Prepared]
FIRST = lmdb_key("image", 1)


@pytest.fixture
def words(prepare: Prepare, folder: Path) -> Path:
    prepare(listed(6, ["train"]))
    return folder / "words" / "train"


def test_a_value_by_its_key(words: Path) -> None:
    assert open_database(words).get(FIRST) == jpeg(0, 40)
    assert open_database(words).get(lmdb_key("label", 6)) == b"Word5"
    assert open_database(words).get(lmdb_key("label", 7)) is None


@pytest.mark.parametrize("keep", [0.99, 0.5, 0.2])
def test_a_truncated_lmdb_is_refused_before_it_is_read(words: Path, keep: float) -> None:
    file = words / FILE
    os.truncate(file, int(file.stat().st_size * keep))
    with pytest.raises(
        BenchError, match=r"data\.mdb: it is truncated, with .* bytes; copy"
    ) as error:
        open_database(words)
    assert error.value.code == Exit.UNVERIFIED
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no LMDB" * 2000])
def test_a_file_that_is_not_an_lmdb_is_refused(words: Path, content: bytes) -> None:
    (words / FILE).write_bytes(content)
    with pytest.raises(BenchError, match=r"data\.mdb: this is not an LMDB .*prepare it again"):
        open_database(words)


def test_a_missing_lmdb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"data\.mdb: this is not an LMDB \(.*No such file"):
        open_database(tmp_path)


def test_the_same_folder_is_opened_once_in_a_process(words: Path, folder: Path) -> None:
    one = open_database(words)
    (folder / "link").symlink_to(words.parent)
    assert open_database(folder / "link" / ".." / "words" / "train") is one
    partitions = [Partition("words", "train") for _ in range(2)]
    assert [partition.encoded(1) for partition in partitions] == [[jpeg(1, 43)]] * 2


def test_two_prepared_data_sets_may_share_an_lmdb(
    prepare: Prepare, words: Path, tmp_path: Path
) -> None:
    release = shutil.copytree(words, tmp_path / "release")
    for name in ("one", "other"):
        prepare(listed(6, ["train"], ready=release), name)
    pair = [Partition(name, "train") for name in ("one", "other")]
    assert [partition.encoded(2) for partition in pair] == [[jpeg(2, 46)]] * 2
    assert pair[0].database is pair[1].database


def test_data_that_were_prepared_again_are_opened_again(prepare: Prepare, words: Path) -> None:
    found = open_database(words)
    assert found.get(FIRST) == jpeg(0, 40)
    del found
    gc.collect()
    shutil.rmtree(words.parent)
    layout = listed(6, ["train"])
    layout.samples["train"].reverse()
    prepare(layout)
    assert open_database(words).get(FIRST) == jpeg(5, 55)


def test_a_closed_lmdb_is_opened_again(words: Path) -> None:
    one = open_database(words)
    one.close()
    one.close()
    assert open_database(words).get(FIRST) == jpeg(0, 40)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_and_its_parent_both_read(words: Path) -> None:
    partition = Partition("words", "train")
    wanted = [partition.encoded(row) for row in range(6)]
    inherited = partition.database
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        found = [partition.encoded(row) for row in range(6)]
        anew = partition.database is not inherited
        os.write(writing, b"same" if found == wanted and anew else b"other")
        os._exit(0)
    os.close(writing)
    assert [partition.encoded(row) for row in range(6)] == wanted
    assert partition.database is inherited
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"same"
    assert os.waitpid(child, 0)[1] == 0
    assert [partition.encoded(row) for row in range(6)] == wanted


def test_samples_written_twice_are_stored_once(tmp_path: Path) -> None:
    for _ in range(2):
        writer = LmdbWriter(tmp_path, clips=False)
        writer.write([(1, "a", [b"first"]), (2, "ü", [b"second"])])
        writer.close()
    found = open_database(tmp_path)
    assert found.get(lmdb_key("image", 2)) == b"second"
    assert found.get(lmdb_key("label", 2)) == "ü".encode()
    assert found.get(b"num-samples") == b"2"


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = LmdbWriter(tmp_path, clips=False)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        with pytest.raises(BenchError, match=r"data\.mdb cannot be written \(.*disk is full"):
            writer.write([(1, "word", [bytes(100_000)])])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        writer.close()

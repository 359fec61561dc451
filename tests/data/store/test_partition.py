"""One partition of prepared data: its table, its pixels, and the processes that read it."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from bench.core.errors import BenchError, Exit
from bench.core.model_input import ImageInput
from bench.data.inputs import images
from bench.data.inputs.image_transform import ImageTransform
from bench.data.raw.entries import Entry
from bench.data.store import rows
from bench.data.store.database import lmdb_key
from bench.data.store.partition import Partition
from bench.data.store.prepared import SAMPLES, Prepared

from ..conftest import Listed, altered, jpeg, listed, pipeline, same

Prepare = Callable[..., Prepared]
WORDS = ImageTransform(ImageInput())
SOME = settings(max_examples=30)


def itself(batch: object) -> object:
    return batch


@SOME
@given(st.lists(st.text(), min_size=1))
def test_texts_equal_those_of_arrow(texts: list[str]) -> None:
    read = rows.column_reader(pa.array(texts, pa.string()))
    assert [read(row) for row in range(len(texts))] == texts


@SOME
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), st.sampled_from(["int32", "int64"]))
def test_numbers_equal_those_of_arrow(numbers: list[int], kind: str) -> None:
    read = rows.column_reader(pa.array(numbers, kind))
    assert [read(row) for row in range(len(numbers))] == numbers
    assert all(type(read(row)) is int for row in range(len(numbers)))


@SOME
@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1))
def test_hashes_equal_those_of_arrow(hashes: list[bytes]) -> None:
    read = rows.column_reader(pa.array(hashes, pa.binary(16)))
    assert [read(row) for row in range(len(hashes))] == hashes


def test_every_column_of_a_row(prepare: Prepare) -> None:
    prepare(listed(3, ["train"]))
    partition = Partition("words", "train")
    assert len(partition) == 3
    found = {name: partition.value(name, 2) for name in partition.chunks[0].schema.names}
    assert found == {
        "id": "train/2",
        "text": "Word2",
        "number": 3,
        "width": 46,
        "height": 31,
        "frames": 0,
        "bytes": len(jpeg(2, 46)),
        "hash": rows.content_hash([jpeg(2, 46)]),
    }


def test_a_table_of_several_chunks(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK", 4)
    prepare(listed(10, ["train"]))
    partition = Partition("words", "train")
    assert [len(chunk) for chunk in partition.chunks] == [4, 4, 2]
    assert [partition.value("text", row) for row in range(10)] == [f"Word{n}" for n in range(10)]
    assert partition.column("number").to_pylist() == list(range(1, 11))
    assert partition.encoded(7) == [jpeg(7, 61)]
    with pytest.raises(IndexError):
        partition.value("text", 10)


def test_the_table_is_mapped_and_never_read_into_memory(prepare: Prepare) -> None:
    prepare(listed(20, ["train"]))
    before = pa.total_allocated_bytes()
    partition = Partition("words", "train")
    assert [partition.value("text", row) for row in range(20)] == [f"Word{n}" for n in range(20)]
    assert sum(partition.column("width").to_pylist()) == sum(range(40, 100, 3))
    assert pa.total_allocated_bytes() == before


def test_some_frames_of_a_clip_in_the_requested_order(prepare: Prepare) -> None:
    frames = [jpeg(n, 40) for n in range(4)]
    prepare(Listed({"train": [Entry("clip", "A", lambda: frames)]}), clips=True)
    found = Partition("words", "train").clip(0, [3, 0, 0, 2], 3)
    wanted = [images.decode_image(frames[n], 3) for n in (3, 0, 0, 2)]
    assert all((one == other).all() for one, other in zip(found, wanted, strict=True))


def test_a_partition_is_pickled_without_open_files(prepare: Prepare) -> None:
    prepare(listed(40, ["train"]))
    partition = Partition("words", "train")
    wanted = [partition.encoded(row) for row in range(40)]
    sent = pickle.dumps(partition)
    assert len(sent) < 1000
    again = pickle.loads(sent)  # noqa: S301 (made here)
    assert len(again) == 40
    assert [again.encoded(row) for row in range(40)] == wanted


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_workers_read_what_this_process_reads(prepare: Prepare, start: str) -> None:
    prepare(listed(20, ["train"]))
    batches = pipeline(WORDS).batches("train", 4, seed=1)
    wanted = [batches[index] for index in range(len(batches))]  # what a fork inherits is open
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=2,
        collate_fn=itself,
        multiprocessing_context=multiprocessing.get_context(start),
    )
    for mine, theirs in zip(wanted, loader, strict=True):
        assert same(mine, theirs)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "has no key image-000000003"),
        (b"no image", "is an image that cannot be decoded"),
        (b"", "is an empty image file"),
    ],
)
def test_an_error_names_its_sample(
    prepare: Prepare, folder: Path, content: bytes | None, fault: str
) -> None:
    prepare(listed(4, ["train"]))
    altered(folder / "words" / "train", lmdb_key("image", 3), content)
    partition = Partition("words", "train")
    assert partition.pixels(1, 1).shape == (31, 43)
    with pytest.raises(BenchError) as error:
        partition.pixels(2, 1)
    place = f"{folder / 'words' / 'train'}: sample 'train/2'"
    assert str(error.value).startswith(f"{place} {fault}")
    assert str(error.value).endswith("the LMDB was altered: prepare it again")
    assert error.value.code == Exit.UNVERIFIED


def test_a_missing_frame_names_its_clip(prepare: Prepare, folder: Path) -> None:
    prepare(Listed({"train": [Entry("clip", "A", lambda: [jpeg(0), jpeg(1)])]}), clips=True)
    altered(folder / "words" / "train", lmdb_key("image", 1, 1), None)
    with pytest.raises(BenchError, match="sample 'clip' has no key image-000000001-00001"):
        Partition("words", "train").encoded(0)


@pytest.mark.parametrize("content", [b"", b"no table", None])
def test_a_broken_table_is_refused(prepare: Prepare, folder: Path, content: bytes | None) -> None:
    prepare(listed(4, ["train"]))
    file = folder / "words" / "train" / SAMPLES
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    with pytest.raises(BenchError, match=r"samples\.arrow: this is not a table of samples"):
        Partition("words", "train").value("id", 0)


def test_a_missing_partition_is_reported_with_the_existing_ones(prepare: Prepare) -> None:
    prepare(listed(1))
    with pytest.raises(BenchError, match="'words' have no partition 'dev', only train, test"):
        Partition("words", "dev")


def test_unprepared_data_are_reported_with_the_command(folder: Path) -> None:
    with pytest.raises(BenchError, match=r"dataset 'words' is not prepared: .*bench data prepare"):
        Partition("words", "train")

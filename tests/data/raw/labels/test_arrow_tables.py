"""Saved datasets and Parquet files: their columns, their images, and truncated files."""

from __future__ import annotations

import json
import os

import pyarrow as pa
import pytest
from pyarrow import parquet

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.arrow_tables import ParquetTable, SavedDataset
from bench.data.raw.labels.data_folder import open_data_folder

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def table(count=3, start=0, **columns):
    """Return a table with images as stored by the library `datasets`."""
    images = [{"bytes": b"pixels %d" % n, "path": f"{n}.png"} for n in range(start, start + count)]
    texts = [f"Wört {n}" for n in range(start, start + count)]
    return pa.table({"image": pa.array(images, IMAGE), "text": texts} | columns)


def saved(root, *shards, **state):
    """Write a folder as `save_to_disk` does."""
    root.mkdir(parents=True, exist_ok=True)
    names = [f"data-{n:05d}-of-{len(shards):05d}.arrow" for n in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        with (
            pa.OSFile(str(root / name), "wb") as file,
            pa.ipc.new_stream(file, shard.schema) as out,
        ):
            out.write_table(shard, max_chunksize=2)
    listed = {"_data_files": [{"filename": name} for name in names]} | state
    (root / "state.json").write_text(json.dumps(listed))
    return root


def listed(format_, root):
    data = open_data_folder(root)
    return [row for labels in format_.find(data) for row in format_.rows(labels, data)]


def fault(format_, root, labels):
    with pytest.raises(BenchError) as raised:
        list(format_.rows(labels, open_data_folder(root)))
    return str(raised.value)


def test_the_rows_of_a_saved_dataset_are_numbered_over_its_files(tmp_path):
    found = listed(SavedDataset(), saved(tmp_path, table(3), table(2, 3)))
    assert [row.id for row in found] == ["0", "1", "2", "3", "4"]
    assert [row.text for row in found] == [f"Wört {n}" for n in range(5)]
    assert [row.images.load() for row in found] == [(b"pixels %d" % n,) for n in range(5)]
    assert all(row.images.exists() for row in found)


def test_each_split_of_a_saved_dataset_is_a_folder(tmp_path):
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for split in ("train", "test"):
        saved(tmp_path / split, table(1))
    assert SavedDataset().find(open_data_folder(tmp_path)) == [
        tmp_path / "test",
        tmp_path / "train",
    ]
    assert [row.id for row in listed(SavedDataset(), tmp_path)] == ["test/0", "train/0"]


def test_further_texts_and_integers_are_columns(tmp_path):
    more = {"writer": ["a", None, "c"], "page": [1, 2, 3], "score": [0.5, 1.0, 2.0]}
    found = listed(SavedDataset(), saved(tmp_path, table(3, **more)))
    assert found[0].columns == {"writer": "a", "page": "1"}
    assert found[1].columns == {"writer": "", "page": "2"}


@pytest.mark.parametrize(
    ("columns", "options", "text"),
    [
        ({"ocr": ["x"], "sentence": ["two words"]}, {}, "two words"),
        ({"ocr": ["two words"], "label": [7]}, {}, "two words"),
        ({"ocr": ["two words"], "text": ["x"]}, {"text": "ocr"}, "two words"),
    ],
)
def test_the_text_is_the_column_with_a_usual_name_or_the_only_one(tmp_path, columns, options, text):
    images = pa.array([{"bytes": b"x", "path": None}], IMAGE)
    [found] = listed(
        SavedDataset(**options), saved(tmp_path, pa.table({"scan": images, **columns}))
    )
    assert found.text == text


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"ocr": ["x"], "best": ["y"]}, {}, "it is not clear which of the columns image (encoded"),
        ({"label": [1]}, {}, "label (int64) are the image and the text"),
        ({"words": ["x"]}, {"text": "word"}, "no column 'word'; did you mean 'words'?"),
    ],
)
def test_ambiguous_columns_are_listed(tmp_path, columns, options, said):
    images = pa.array([{"bytes": b"x", "path": None}], IMAGE)
    root = saved(tmp_path, pa.table({"image": images, **columns}))
    assert said in fault(SavedDataset(**options), root, root)


def test_old_saves_have_paths_of_images(tmp_path):
    images = [{"bytes": None, "path": path} for path in ("1.png", "/elsewhere/2.png", None)]
    root = saved(tmp_path, pa.table({"image": pa.array(images, IMAGE), "text": ["a", "b", "c"]}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"pixels")
    first, second, third = listed(SavedDataset(), root)
    assert (first.id, first.text, first.images.load()) == ("0", "a", (b"pixels",))
    assert second == Rejected("1", "a path out of the data set's folder")
    assert not third.images.exists()
    with pytest.raises(SampleError, match="no image in its row"):
        third.images.load()


def test_a_row_without_a_text_is_rejected(tmp_path):
    images = pa.array([{"bytes": b"x", "path": None}, None], IMAGE)
    first, second = listed(
        SavedDataset(), saved(tmp_path, pa.table({"image": images, "text": [None, "a"]}))
    )
    assert first == Rejected("0", "a row without a text")
    with pytest.raises(SampleError, match="no image in its row"):
        second.images.load()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            {"_data_files": [{"filename": "../x.arrow"}]},
            "'../x.arrow' is not a file of this folder",
        ),
        ({"_data_files": [{"filename": "x.arrow"}]}, "x.arrow is missing"),
        ({"_data_files": 3}, "this is not the state of a saved dataset"),
        ({"_indices_files": [{"filename": "i"}]}, "selects rows by a file of indices"),
    ],
)
def test_a_state_that_names_other_files_is_an_error(tmp_path, state, said):
    assert said in fault(SavedDataset(), saved(tmp_path, table(), **state), tmp_path)


def test_a_link_out_of_the_folder_is_not_read(tmp_path):
    outside = saved(tmp_path / "a", table()) / "data-00000-of-00001.arrow"
    root = saved(tmp_path / "b", table())
    (root / outside.name).unlink()
    (root / outside.name).symlink_to(outside)
    assert "is not a file of this folder" in fault(SavedDataset(), root, root)


@pytest.mark.parametrize("size", [0, 100, 700])
def test_a_truncated_arrow_file_is_an_error(tmp_path, size):
    root = saved(tmp_path, table(50))
    os.truncate(root / "data-00000-of-00001.arrow", size)
    assert "this is not a complete Arrow file" in fault(SavedDataset(), root, root)


def test_an_arrow_file_with_offsets_beyond_its_end_is_an_error(tmp_path):
    root = saved(tmp_path, table(1, text=["x" * 1234]))
    file = root / "data-00000-of-00001.arrow"
    before, offset, after = file.read_bytes().rpartition((1234).to_bytes(4, "little"))
    assert offset
    file.write_bytes(before + (2**30).to_bytes(4, "little") + after)
    assert "this is not a complete Arrow file" in fault(SavedDataset(), root, root)


def test_a_column_whose_name_is_not_utf_8_is_an_error(tmp_path):
    root = saved(tmp_path, table())
    file = root / "data-00000-of-00001.arrow"
    content = file.read_bytes()
    assert content.count(b"image") == 1
    file.write_bytes(content.replace(b"image", b"\xffmage"))
    assert "this is not a complete Arrow file" in fault(SavedDataset(), root, root)


def test_parquet_files_of_the_hub_are_read_by_row_groups(tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "train-00000-of-00001.parquet"
    parquet.write_table(table(5, writer=list("aabbc")), file, row_group_size=2)
    found = listed(ParquetTable(), tmp_path)
    assert ParquetTable().find(open_data_folder(tmp_path)) == [file]
    assert [row.id for row in found] == [f"data/train-00000-of-00001/{n}" for n in range(5)]
    assert [row.text for row in found] == [f"Wört {n}" for n in range(5)]
    assert [row.columns["writer"] for row in found] == list("aabbc")
    assert [row.images.load() for row in reversed(found)] == [
        (b"pixels %d" % n,) for n in reversed(range(5))
    ]
    assert found[4].images.exists()


def test_a_parquet_file_may_have_paths(tmp_path):
    names = {"file_name": ["1.png", "../2.png"], "text": ["a", "b"]}
    parquet.write_table(pa.table(names), tmp_path / "metadata.parquet")
    (tmp_path / "1.png").write_bytes(b"pixels")
    first, second = listed(ParquetTable(), tmp_path)
    assert first.images.load() == (b"pixels",)
    assert second == Rejected("metadata/1", "a path out of the data set's folder")


def test_a_truncated_parquet_file_is_an_error(tmp_path):
    file = tmp_path / "a.parquet"
    parquet.write_table(table(50), file)
    os.truncate(file, 200)
    assert ParquetTable().find(open_data_folder(tmp_path)) == []
    assert "this is not a complete Parquet file" in fault(ParquetTable(), tmp_path, file)


def test_other_parquet_files_are_not_labels(tmp_path):
    parquet.write_table(pa.table({"x": [1.0], "y": ["a"]}), tmp_path / "a.parquet")
    assert ParquetTable().find(open_data_folder(tmp_path)) == []

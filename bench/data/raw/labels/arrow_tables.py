"""Label formats of tables with encoded images: saved Hugging Face datasets, and Parquet files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bench.core.errors import BenchError
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder
from bench.data.raw.labels.label_format import CERTAIN, ImageSource, LabelFormat, Row
from bench.data.raw.labels.table_columns import (
    Record,
    TableColumns,
    find_columns,
    is_encoded,
    require_columns,
)

if TYPE_CHECKING:
    import pyarrow as pa

_STATE = "state.json"
_FILE_MAGIC = b"ARROW1"
_MAX_DECODED_GROUPS = 8
"""Row groups of a Parquet file that are kept decoded."""
_REMEDY = "save it again with save_to_disk of Hugging Face's datasets"


class _Cell(NamedTuple):
    """The cell of a column of images: bytes, or a path."""

    content: bytes | None
    path: str


@dataclass(frozen=True)
class BatchImage:
    """An image in a memory-mapped record batch."""

    column: pa.Array
    row: int

    def exists(self) -> bool:
        """Return whether the cell has bytes."""
        return bool(_read_cell(self.column, self.row).content)

    def load(self) -> Sequence[bytes]:
        """Return the bytes. Raises SampleError if there are none."""
        return _content(_read_cell(self.column, self.row))


class _RowGroups:
    """The column of images in a Parquet file, read by row groups."""

    def __init__(self, file: Path, image: str) -> None:
        self._file = file
        self._image = image
        # Threads load images of the same group at about the same time; a lock reads it once.
        self._decoded = lru_cache(_MAX_DECODED_GROUPS)(self._read)
        self._locks: dict[int, threading.Lock] = {}

    def value(self, group: int, row: int) -> _Cell:
        """Return the cell of a row of a group. Raises SampleError if it cannot be read."""
        with self._locks.setdefault(group, threading.Lock()):
            return _read_cell(self._decoded(group), row)

    def _read(self, group: int) -> pa.Array:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            table = parquet.ParquetFile(pa.OSFile(os.fsencode(self._file))).read_row_group(
                group, columns=[self._image], use_threads=False
            )
            table.validate(full=True)
        except (OSError, pa.ArrowException):
            raise SampleError("an image in a row group that cannot be read") from None
        return table[self._image].combine_chunks()


@dataclass(frozen=True)
class GroupImage:
    """An image in a row group of a Parquet file."""

    groups: _RowGroups
    group: int
    row: int

    def exists(self) -> bool:
        """Return whether the cell has bytes, which reads its whole row group."""
        try:
            return bool(self.groups.value(self.group, self.row).content)
        except SampleError:
            return False

    def load(self) -> Sequence[bytes]:
        """Return the bytes. Raises SampleError if there are none."""
        return _content(self.groups.value(self.group, self.row))


@dataclass(frozen=True)
class SavedDataset(LabelFormat):
    """A folder written by `save_to_disk` of Hugging Face's `datasets`, which need not be installed.

    Further columns of texts and integers are kept as columns of the rows.

    Attributes:
        image: The column of images. Empty: the only column of images.
        text: The column of transcripts. Empty: the first with a usual name such as `text`, else the
            only column of texts.
    """

    name: ClassVar[str] = "huggingface"
    about: ClassVar[str] = "a dataset saved by Hugging Face's save_to_disk"
    certainty: ClassVar[int] = CERTAIN

    image: str = ""
    text: str = ""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with a state.json and Arrow files, one per split."""
        folders = {file.parent for file in data.files if file.suffix == ".arrow"}
        return sorted(file.parent for file in data.files if _is_state(file, folders))

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the rows; their ids are numbers from 0, as in the library."""
        number, base, prefix = 0, None, data.prefix(labels)
        for batch in _batches(labels, data):
            columns = require_columns(batch.schema, self.image, self.text, labels)
            images = batch[columns.image]
            base = base or _base(labels / _STATE, images, data)
            paths = _paths(images)
            for row, record in enumerate(columns.records(batch)):
                image = BatchImage(images, row)
                yield _row(f"{prefix}{number}", record, paths[row] or image, data, base)
                number += 1


@dataclass(frozen=True)
class ParquetTable(LabelFormat):
    """Parquet files with encoded images, as on the Hugging Face Hub, or with paths of images.

    Further columns of texts and integers are kept as columns of the rows.

    Attributes:
        image: The column of images. Empty: the only column of images.
        text: The column of transcripts. Empty: the first with a usual name such as `text`, else the
            only column of texts.
    """

    name: ClassVar[str] = "parquet"
    about: ClassVar[str] = "Parquet files with a column of images and one of texts"
    certainty: ClassVar[int] = CERTAIN

    image: str = ""
    text: str = ""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the Parquet files with a column of images and one of texts."""
        return [file for file in data.files if file.suffix == ".parquet" and self._columns(file)]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the rows of a file; their ids are numbers from 0."""
        import pyarrow as pa

        data.require_inside(labels)
        try:
            yield from self._rows(labels, data)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise _unreadable_error(labels, "Parquet file", error) from None

    def _rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        import pyarrow as pa
        from pyarrow import parquet

        file = parquet.ParquetFile(pa.OSFile(os.fsencode(labels)))
        columns = require_columns(file.schema_arrow, self.image, self.text, labels)
        has_paths = not is_encoded(file.schema_arrow.field(columns.image).type)
        groups = _RowGroups(labels, columns.image)
        number, base, prefix = 0, None, data.prefix(labels.with_suffix(""))
        for group in range(file.num_row_groups):
            listed = [*[columns.image] * has_paths, columns.text, *columns.others]
            table = file.read_row_group(group, columns=listed, use_threads=False).combine_chunks()
            table.validate(full=True)
            for batch in table.to_batches():
                paths: list[str | None] = [None] * len(batch)
                if has_paths:
                    base = base or _base(labels, batch[columns.image], data)
                    paths = _paths(batch[columns.image])
                for row, record in enumerate(columns.records(batch)):
                    image = GroupImage(groups, group, row)
                    yield _row(f"{prefix}{number}", record, paths[row] or image, data, base)
                    number += 1

    def _columns(self, file: Path) -> TableColumns | None:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return find_columns(
                parquet.read_schema(pa.OSFile(os.fsencode(file))), self.image, self.text
            )
        except (OSError, pa.ArrowException, UnicodeDecodeError):
            return None


def _row(
    identity: str, record: Record, image: ImageSource | str, data: DataFolder, base: Path | None
) -> Row | Rejected:
    """Return the row of a record; its image is in a table, or a path relative to `base`."""
    if record.text is None:
        return Rejected(identity, "a row without a text")
    if isinstance(image, str):
        try:
            _, image = data.source(base or data.root, image)
        except SampleError as error:
            return Rejected(identity, str(error))
    return Row(identity, record.text, image, record.columns)


def _base(labels: Path, images: pa.Array, data: DataFolder) -> Path:
    """Return the folder that paths in a column of images are relative to, by the first of them."""
    paths = _paths(images.slice(0, MAX_PROBED))
    return data.base(labels, [path for path in paths if path])


def _paths(images: pa.Array) -> list[str | None]:
    """Return the path of each image in a column, None if the column has its bytes."""
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_struct(images.type):
        return [path or "" for path in images.to_pylist()]
    stored = compute.struct_field(images, "bytes").is_valid()
    if compute.all(stored).as_py() or images.type.get_field_index("path") < 0:
        return [None] * len(images)
    paths = compute.struct_field(images, "path").to_pylist()
    return [None if has else path for has, path in zip(stored.to_pylist(), paths, strict=True)]


def _read_cell(column: pa.Array, row: int) -> _Cell:
    """Return the cell of a row in a column of images."""
    cell: Any = column[row].as_py()
    if isinstance(cell, dict):
        return _Cell(cell["bytes"], cell.get("path") or "")
    return _Cell(None, cell or "")


def _content(value: _Cell) -> tuple[bytes]:
    if value.content is None:
        raise SampleError("no image in its row")
    return (value.content,)


def _batches(folder: Path, data: DataFolder) -> Iterator[pa.RecordBatch]:
    """Yield the memory-mapped record batches of a saved dataset in order.

    Raises:
        BenchError: A file is missing, or is not an Arrow file.
    """
    import pyarrow as pa

    for file in _arrow_files(folder, data):
        try:
            mapped = pa.memory_map(os.fsencode(file))
            opened = _opened(mapped)
            for batch in opened:
                # Arrow does not validate offsets and names, and the file is untrusted.
                batch.validate(full=True)
                if batch.schema.names:
                    yield batch
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise _unreadable_error(file, "Arrow file", error) from None


def _opened(mapped: pa.MemoryMappedFile) -> Iterator[pa.RecordBatch]:
    """Return the record batches of a file in the stream format or the file format of Arrow."""
    import pyarrow as pa

    is_file = mapped.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    mapped.seek(0)
    if not is_file:
        return iter(pa.ipc.open_stream(mapped))
    opened = pa.ipc.open_file(mapped)
    return (opened.get_batch(index) for index in range(opened.num_record_batches))


def _arrow_files(folder: Path, data: DataFolder) -> list[Path]:
    """Return the files in the order of a state.json. Raises BenchError if it is invalid."""
    state_file = folder / _STATE
    try:
        state = json.loads(image_tree.read_file(data.root, data.relative(state_file)))
        names = [listed["filename"] for listed in state["_data_files"]]
    except (SampleError, ValueError, TypeError, KeyError, RecursionError):
        raise BenchError(
            f"{state_file}: this is not the state of a saved dataset; {_REMEDY}"
        ) from None
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise BenchError(
            f"{state_file}: this dataset selects rows by a file of indices, which bench does not "
            f"support; {_REMEDY}"
        )
    for name in names:
        file = folder / str(name)
        if not image_tree.is_inside(str(name)) or not file.resolve().is_relative_to(data.root):
            raise BenchError(f"{state_file}: '{name}' is not a file of this folder; {_REMEDY}")
        if not file.is_file():
            raise BenchError(f"{file} is missing; {_REMEDY}")
    return [folder / name for name in names]


def _is_state(file: Path, folders: set[Path]) -> bool:
    return file.name == _STATE and file.parent in folders


def _unreadable_error(file: Path, noun: str, error: Exception) -> BenchError:
    reason = " ".join(str(error).split())
    return BenchError(f"{file}: this is not a complete {noun} ({reason}); copy or save it again")

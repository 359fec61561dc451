"""One partition of prepared data: the table of its samples, and their pixels."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.core.errors import BenchError, Exit
from bench.data.inputs import images
from bench.data.raw.entries import SampleError
from bench.data.store import data_dir as home
from bench.data.store import prepared, rows
from bench.data.store.database import Database, lmdb_key, open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bench.core.types import InputShape
    from bench.data.inputs.images import Pixels


def cache_file(folder: Path, shape: InputShape) -> Path:
    """Return the file of the pre-decoded cache of one shape."""
    return folder / f"decoded-{shape.channels}x{shape.height}x{shape.width}.npy"


class Partition:
    """The samples of one partition, by row from 0.

    Files are opened at first use in each process, so a partition may be pickled and forked. The
    table is memory-mapped, so memory does not grow with the number of samples.
    """

    def __init__(self, name: str, part: str) -> None:
        parts = prepared.require_prepared(name).parts
        if part not in parts:
            raise prepared.missing_partition(name, part, parts)
        self.folder = home.data_folder() / name / part
        self.size = parts[part].samples
        self.database: Database | None = None
        self._caches: dict[InputShape, Pixels | None] = {}

    def __len__(self) -> int:
        return self.size

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without open files."""
        return {"folder": self.folder, "size": self.size, "database": None, "_caches": {}}

    @cached_property
    def chunks(self) -> list[pa.RecordBatch]:
        """The table of samples, in record batches of `rows.CHUNK`."""
        file = self.folder / prepared.SAMPLES
        try:
            chunks = list(rows.table_chunks(file))
        except (OSError, pa.ArrowException) as error:
            fault = f"{file}: this is not a table of samples ({error}); prepare it again"
            raise BenchError(fault, Exit.UNVERIFIED) from None
        present = sum(chunk.num_rows for chunk in chunks)
        if present != self.size:
            raise BenchError(
                f"{file}: it has {present:,} samples, but {prepared.DOCUMENT} lists {self.size:,}; "
                "one of the files was altered: prepare it again",
                Exit.UNVERIFIED,
            )
        return chunks

    @cached_property
    def _readers(self) -> dict[str, list[Callable[[int], Any]]]:
        """Per column, a function per chunk that reads one value."""
        names = self.chunks[0].schema.names
        return {name: [rows.column_reader(chunk[name]) for chunk in self.chunks] for name in names}

    def value(self, column: str, row: int) -> Any:  # noqa: ANN401 (a column has its own type)
        """Return one value of a row."""
        return self._readers[column][row // rows.CHUNK](row % rows.CHUNK)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column, memory-mapped."""
        return pa.chunked_array([chunk[name] for chunk in self.chunks])

    def encoded(self, row: int) -> list[bytes]:
        """Return the encoded image of a row, or all frames of its clip."""
        frames, number = self.value("frames", row), self.value("number", row)
        names = [lmdb_key("image", number, frame) for frame in range(frames)] or [
            lmdb_key("image", number)
        ]
        return [self._bytes(name, row) for name in names]

    def pixels(self, row: int, channels: int) -> Pixels:
        """Return the decoded image of a row, see `images.decode_image`."""
        return self._decoded(
            self._bytes(lmdb_key("image", self.value("number", row)), row), row, channels
        )

    def clip(self, row: int, frames: Iterable[int], channels: int) -> Iterator[Pixels]:
        """Yield decoded frames of the clip of a row; consecutive repeats are decoded once."""
        number, before, pixels = self.value("number", row), None, None
        for frame in frames:
            if pixels is None or frame != before:
                encoded = self._bytes(lmdb_key("image", number, frame), row)
                before, pixels = frame, self._decoded(encoded, row, channels)
            yield pixels

    def decoded(self, shape: InputShape) -> Pixels | None:
        """Return all images (S, H, W, channels) from the pre-decoded cache of a shape, or None."""
        if shape not in self._caches:
            file = cache_file(self.folder, shape)
            self._caches[shape] = self._cache(file, shape) if file.exists() else None
        return self._caches[shape]

    def _cache(self, file: Path, shape: InputShape) -> Pixels:
        try:
            # As a plain array: indexing np.memmap, NumPy's subclass, takes ten times as long.
            cached = np.asarray(np.load(file, mmap_mode="r"))
        except (ValueError, EOFError):
            cached = np.empty(0)
        channels, height, width = shape
        if cached.dtype != np.uint8 or cached.shape != (self.size, height, width, channels):
            raise BenchError(
                f"{file}: these are not the decoded images of {self.size:,} samples; remove it, "
                f"and write it again with `--decoded {channels}x{height}x{width}`",
                Exit.UNVERIFIED,
            )
        return cached

    def _decoded(self, encoded: bytes, row: int, channels: int) -> Pixels:
        try:
            return images.decode_image(encoded, channels)
        except SampleError as error:
            fault = f"{self.describe(row)} is {error}; the LMDB was altered: prepare it again"
            raise BenchError(fault, Exit.UNVERIFIED) from None

    def describe(self, row: int) -> str:
        """Return folder and sample id, for an error."""
        return f"{self.folder}: sample '{self.value('id', row)}'"

    def _bytes(self, name: bytes, row: int) -> bytes:
        if self.database is None or self.database.closed:
            self.database = open_database(self.folder)
        content = self.database.get(name)
        if content is None:
            raise BenchError(
                f"{self.describe(row)} has no key {name.decode()}; the LMDB was altered: "
                "prepare it again",
                Exit.UNVERIFIED,
            )
        return content

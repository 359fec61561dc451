"""The table of the samples of a partition: appended to during preparation, then memory-mapped."""

from __future__ import annotations

import csv
import os
from collections import Counter
from hashlib import blake2b, file_digest, sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from bench.core.printable import shortened
from bench.core.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

CHUNK = 65_536
"""Rows per record batch of a finished table; the last batch may have fewer."""
_FIELDS = [
    ("id", pa.string()),
    ("text", pa.string()),
    ("number", pa.int64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("frames", pa.int32()),
    ("bytes", pa.int64()),
    ("hash", pa.binary(16)),
]
"""`number` is the number in the keys of the LMDB, from 1; `frames` is 0 for an image."""
_MAX_SHOWN = 500
"""Characters of an id and of a reason in the list of rejected entries."""
_REASON = ("reason", pa.string())
"""Why an entry was rejected; empty for a sample."""


class RowsWriter:
    """Appends to a table on disk, after truncating it to `size` bytes of complete rows."""

    def __init__(self, file: Path, columns: Sequence[str], size: int) -> None:
        more = [(name, pa.string()) for name in columns]
        self.schema = pa.schema([*_FIELDS, *more, _REASON])
        file.touch()
        os.truncate(file, size)
        self._stream = file.open("r+b")
        self._stream.seek(size)
        if not size:
            self._stream.write(self.schema.serialize())

    def append(self, rows: Sequence[dict[str, Any]]) -> int:
        """Write `rows` durably, and return the size of the table in bytes."""
        batch = pa.RecordBatch.from_pylist(list(rows), schema=self.schema)
        self._stream.write(batch.serialize())
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._stream.tell()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def finish_table(rows: Path, samples: Path, rejected: Path) -> tuple[str, int, Counter[str]]:
    """Write the samples among `rows` to the table `samples`, and other rows to the list `rejected`.

    Of samples with the same id, the first is kept. Return the fingerprint of the samples, the bytes
    of their images, and the number of rejected rows by reason.
    """
    with pa.memory_map(os.fsencode(rows)) as mapped:
        table = _without_repeats(pa.ipc.open_stream(mapped).read_all())
        whole = table.filter(compute.equal(table["reason"], "")).drop_columns(["reason"])
        with (
            pa.OSFile(os.fsencode(samples), "wb") as file,
            pa.ipc.new_file(file, whole.schema) as writer,
        ):
            for start in range(0, len(whole), CHUNK):
                [batch] = whole.slice(start, CHUNK).combine_chunks().to_batches()
                writer.write_batch(batch)
        others = table.filter(compute.not_equal(table["reason"], ""))
        with rejected.open("w", encoding="utf-8", newline="") as lines:
            named = zip(others["id"].to_pylist(), others["reason"].to_pylist(), strict=True)
            listed = (
                [shortened(name, _MAX_SHOWN), shortened(reason, _MAX_SHOWN)]
                for name, reason in named
            )
            csv.writer(lines, "excel-tab").writerows(listed)
        size = compute.sum(whole["bytes"]).as_py() or 0
        return (
            samples_fingerprint(table_chunks(samples)),
            size,
            Counter(others["reason"].to_pylist()),
        )


def _without_repeats(table: pa.Table) -> pa.Table:
    """Return the rows, with a reason for each sample whose id an earlier sample has."""
    usable = compute.equal(table["reason"], "").to_numpy()
    ids = table["id"]
    # Hashes of eight bytes, because millions of ids would take too much memory.
    all_hashes = (hash(identity) for chunk in ids.chunks for identity in chunk.to_pylist())
    hashes = np.fromiter(all_hashes, np.int64, len(ids))
    _, first, counts = np.unique(hashes[usable], return_index=True, return_counts=True)
    if (counts == 1).all():
        return table
    texts, before = table["text"], dict[str, str]()
    repeated = set(hashes[usable][first[counts > 1]].tolist())
    reasons = table["reason"].to_pylist()
    for row in np.flatnonzero(usable & np.isin(hashes, [*repeated])).tolist():
        identity, text = ids[row].as_py(), texts[row].as_py()
        if identity in before:
            same = "the same" if before[identity] == text else "another"
            reasons[row] = f"listed before with {same} text"
        before.setdefault(identity, text)
    column = table.schema.get_field_index("reason")
    return table.set_column(column, table.schema.field(column), pa.array(reasons, pa.string()))


def content_hash(pixels: Iterable[bytes]) -> bytes:
    """Return a hash of 16 bytes of the encoded images of a sample."""
    hasher = blake2b(digest_size=16)
    for image in pixels:
        hasher.update(image)
    return hasher.digest()


def samples_fingerprint(chunks: Iterable[pa.RecordBatch]) -> str:
    """Return the fingerprint of samples: their ids, transcripts and images in order."""
    hasher = sha256()
    for chunk in chunks:
        content = chunk.drop_columns(["number", "width", "height", "bytes"])
        for row in content.to_pylist():
            hasher.update(repr(list(row.values())).encode())
    return f"sha256:{hasher.hexdigest()}"


def table_checksum(samples: Path) -> str:
    """Return the checksum of the file of a finished table, which Arrow maps unchecked."""
    with samples.open("rb") as stream:
        return f"sha256:{file_digest(stream, 'sha256').hexdigest()}"


def table_chunks(samples: Path) -> Iterator[pa.RecordBatch]:
    """Yield the memory-mapped chunks of a finished table. Raises OSError and ArrowException."""
    open_regular(samples).close()  # Arrow would block on a pipe
    reader = pa.ipc.open_file(pa.memory_map(os.fsencode(samples)))
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


def column_reader(column: pa.Array) -> Callable[[int], Any]:
    """Return a function that reads one value of a column directly from mapped memory.

    An Arrow scalar per value would take five times as long.
    """
    if pa.types.is_integer(column.type):
        numbers = memoryview(column.to_numpy())
        return numbers.__getitem__
    content = memoryview(column.buffers()[-1] or b"")
    if pa.types.is_string(column.type):
        ends = memoryview(column.buffers()[1]).cast("i")
        return lambda row: str(content[ends[row] : ends[row + 1]], "utf-8")
    width = column.type.byte_width
    return lambda row: bytes(content[row * width : (row + 1) * width])

"""The table of a partition's samples: appended to while it is prepared, then mapped from disk."""

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
"""Rows in each record batch of a finished table, but for the last."""
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
"""`number` is that of the LMDB's keys, from 1; `frames` is 0 for an image."""
_MAX_SHOWN = 500
"""Characters of an identity and of a reason in the list of what was left out."""
_REASON = ("reason", pa.string())
"""Why a row is no sample; empty where it is one."""


class RowsWriter:
    """A table that grows on disk, cut back to `size` bytes that are known to be whole."""

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
        """Write `rows` durably; return how many bytes the table has now."""
        batch = pa.RecordBatch.from_pylist(list(rows), schema=self.schema)
        self._stream.write(batch.serialize())
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._stream.tell()

    def close(self) -> None:
        """Leave the file."""
        self._stream.close()


def finish_table(rows: Path, samples: Path, rejected: Path) -> tuple[str, int, Counter[str]]:
    """Write the `samples` among `rows` as chunks, and the others as lines of `rejected`.

    Of samples with one identity, the first is kept. Return the fingerprint and the bytes of pixels
    of the samples, and how many others there are by reason.
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
    """Return the rows, with a reason for each sample whose identity an earlier one has."""
    kept = compute.equal(table["reason"], "").to_numpy()
    ids = table["id"]
    # Eight bytes for each: the identities themselves may be millions.
    each = (hash(identity) for chunk in ids.chunks for identity in chunk.to_pylist())
    hashes = np.fromiter(each, np.int64, len(ids))
    _, first, counts = np.unique(hashes[kept], return_index=True, return_counts=True)
    if (counts == 1).all():
        return table
    texts, before = table["text"], dict[str, str]()
    repeated = set(hashes[kept][first[counts > 1]].tolist())
    reasons = table["reason"].to_pylist()
    for row in np.flatnonzero(kept & np.isin(hashes, [*repeated])).tolist():
        identity, text = ids[row].as_py(), texts[row].as_py()
        if identity in before:
            same = "the same" if before[identity] == text else "another"
            reasons[row] = f"listed before with {same} text"
        before.setdefault(identity, text)
    place = table.schema.get_field_index("reason")
    return table.set_column(place, table.schema.field(place), pa.array(reasons, pa.string()))


def content_hash(pixels: Iterable[bytes]) -> bytes:
    """Return 16 bytes that differ where encoded pixels do."""
    found = blake2b(digest_size=16)
    for image in pixels:
        found.update(image)
    return found.digest()


def samples_fingerprint(chunks: Iterable[pa.RecordBatch]) -> str:
    """Return the fingerprint of samples: identities, transcripts and pixels in their order."""
    found = sha256()
    for chunk in chunks:
        said = chunk.drop_columns(["number", "width", "height", "bytes"])
        for row in said.to_pylist():
            found.update(repr(list(row.values())).encode())
    return f"sha256:{found.hexdigest()}"


def table_checksum(samples: Path) -> str:
    """Return the checksum of a finished table as a file: Arrow trusts what it maps."""
    with samples.open("rb") as stream:
        return f"sha256:{file_digest(stream, 'sha256').hexdigest()}"


def table_chunks(samples: Path) -> Iterator[pa.RecordBatch]:
    """Yield the chunks of a finished table, mapped from disk. Raises OSError and ArrowException."""
    open_regular(samples).close()  # Arrow would wait for the writer of a pipe
    reader = pa.ipc.open_file(pa.memory_map(os.fsencode(samples)))
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


def column_reader(column: pa.Array) -> Callable[[int], Any]:
    """Return what reads one value of a chunk's column, straight from where it is mapped.

    Making a scalar of Arrow first takes five times as long.
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

"""Verify prepared data: compare them with the fingerprints of their document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.data.store import rows
from bench.data.store.database import open_database
from bench.data.store.partition import Partition
from bench.data.store.prepared import SAMPLES, require_prepared

if TYPE_CHECKING:
    from bench.data.store.prepared import Advance, PreparedPartition

MAX_REPORTED = 20
"""Report at most this many samples per partition; more have the same cause."""


def verify_prepared(name: str, advance: Advance) -> list[str]:
    """Read every sample of prepared data again; return a sentence per fault."""
    return [
        fault
        for part, document in require_prepared(name).parts.items()
        for fault in _faults(Partition(name, part), part, document, advance)
    ]


def _faults(
    partition: Partition, part: str, document: PreparedPartition, advance: Advance
) -> Iterator[str]:
    try:
        if not _is_table_intact(partition, document):
            yield f"{partition.folder / SAMPLES} is missing or was altered; prepare it again"
            return
        # Opened once here, so that an unreadable LMDB is one fault and not one per sample.
        with closing(open_database(partition.folder)):
            yield from _altered(partition, part, advance)
    except BenchError as error:
        yield str(error)


def _is_table_intact(partition: Partition, document: PreparedPartition) -> bool:
    """Return whether the table of samples is as prepared; Arrow maps it only after its checksum."""
    table = partition.folder / SAMPLES
    return (
        table.is_file()
        and rows.table_checksum(table) == document.table
        and rows.samples_fingerprint(partition.chunks) == document.fingerprint
    )


def _altered(partition: Partition, part: str, advance: Advance) -> Iterator[str]:
    count = 0
    for row in range(len(partition)):
        if fault := _fault(partition, row):
            count += 1
            if count <= MAX_REPORTED:
                yield fault
        advance(part, 1)
    if count > MAX_REPORTED:
        yield f"{partition.folder}: {count - MAX_REPORTED:,} more samples are altered or missing"


def _fault(partition: Partition, row: int) -> str | None:
    """Return what is wrong with one sample, None if nothing."""
    try:
        pixels = partition.encoded(row)
    except BenchError as error:
        return str(error)
    if rows.content_hash(pixels) != partition.value("hash", row):
        return f"{partition.describe(row)} has other images than were prepared; prepare it again"
    return None

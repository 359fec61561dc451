"""Prepared data against what was noted of them when they were prepared."""

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

_NAMED = 20
"""Samples named a partition: what is wrong with more has one cause."""


def verify_prepared(name: str, advance: Advance) -> list[str]:
    """Read every sample of prepared data again; return what is wrong, in sentences."""
    return [
        fault
        for part, document in require_prepared(name).parts.items()
        for fault in _faults(Partition(name, part), part, document, advance)
    ]


def _faults(
    partition: Partition, part: str, document: PreparedPartition, advance: Advance
) -> Iterator[str]:
    try:
        if not _is_table(partition, document):
            yield f"{partition.folder / SAMPLES} is missing or was altered; prepare it again"
            return
        # Opened here, an LMDB that cannot be is one fault, and not one a sample.
        with closing(open_database(partition.folder)):
            yield from _altered(partition, part, advance)
    except BenchError as error:
        yield str(error)


def _is_table(partition: Partition, document: PreparedPartition) -> bool:
    """Return whether the table of samples is the one that was prepared; only then is it mapped."""
    table = partition.folder / SAMPLES
    return (
        table.is_file()
        and rows.table_checksum(table) == document.table
        and rows.samples_fingerprint(partition.chunks) == document.fingerprint
    )


def _altered(partition: Partition, part: str, advance: Advance) -> Iterator[str]:
    found = 0
    for row in range(len(partition)):
        if fault := _fault(partition, row):
            found += 1
            if found <= _NAMED:
                yield fault
        advance(part, 1)
    if found > _NAMED:
        yield f"{partition.folder}: {found - _NAMED:,} more samples are altered or missing"


def _fault(partition: Partition, row: int) -> str | None:
    """Say what is wrong with one sample, or None."""
    try:
        pixels = partition.encoded(row)
    except BenchError as error:
        return str(error)
    if rows.content_hash(pixels) != partition.value("hash", row):
        return f"{partition.named(row)} has other pixels than were prepared; prepare it again"
    return None

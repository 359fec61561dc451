"""Prepare a raw data set: stream its samples to prepared data, and resume after interruptions.

Each group of samples is written in three steps: its rows are appended to a table, its images are
committed to an LMDB, and the progress is saved. What was written after the last saved progress is
overwritten by the same bytes.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import bench
from bench.core import disk, documents
from bench.core.errors import BenchError, Exit
from bench.data.inputs import images
from bench.data.raw.entries import Entry, Rejected, SampleError
from bench.data.store import prepared, rows
from bench.data.store.database import FILE, LmdbWriter, data_file

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.raw.entries import Reader
    from bench.data.store.prepared import Advance, Prepared

MAX_GROUP_SAMPLES = 1024
MAX_GROUP_BYTES = 64 * 2**20
_ENTRIES_PER_CALL = 8
"""Entries that a thread loads per call; one entry per call takes a third more processor time."""
_CALLS_PER_THREAD = 2
"""Calls that are submitted or unread per thread, which bounds the memory."""
MAX_THREADS = 16
_ROWS = "rows.arrows"
_PROGRESS = "progress.json"
_PART = "part.json"
T = TypeVar("T")


class Sample(NamedTuple):
    """An entry with its encoded images: one, or every frame of a clip."""

    entry: Entry
    pixels: Sequence[bytes]
    size: images.Size
    hash: bytes


@dataclass(frozen=True)
class Progress:
    """How far the preparation of a partition is.

    Attributes:
        listed: The number of entries that were processed.
        kept: The number of samples among them.
        rows_bytes: The size of the table of rows.
        schema: The version of this document.
    """

    listed: int = 0
    kept: int = 0
    rows_bytes: int = 0
    schema: int = prepared.SCHEMA


def prepare(
    reader: Reader, source: Path, folder: Path, advance: Advance, *, clips: bool
) -> Prepared:
    """Write the samples of a raw data set to `folder`, one LMDB per partition.

    A preparation that was killed is resumed by the next call.

    Args:
        reader: The reader of the raw data set.
        source: Its folder, which is compared with that of an interrupted preparation.
        folder: The folder of the prepared data.
        advance: Called with the progress.
        clips: Whether samples are clips, and not single images.

    Raises:
        BenchError: A partition has no usable sample, the preparation of another source was
            interrupted in `folder`, another process prepares it, or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder, str(source.resolve())), _full_disk_error(folder):
        parts = {
            part: _prepare_part(reader, part, folder, advance, clips=clips) for part in reader.parts
        }
        document = prepared.Prepared(
            name=folder.name,
            layout=type(reader).__name__,
            parts=parts,
            bench=bench.__version__,
        )
        documents.write_bytes(folder / prepared.DOCUMENT, documents.encode(document))
    return document


@contextmanager
def _full_disk_error(folder: Path) -> Iterator[None]:
    """Raise BenchError with the folder when its disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in disk.FULL:
            raise
        raise BenchError(
            f"{folder} cannot be written, because its disk is full; free some space, then run the "
            "same command again to resume"
        ) from None


@contextmanager
def _exclusive(folder: Path, source: str) -> Iterator[None]:
    """Lock `folder` against other processes, and against other sources until it is prepared."""
    file = folder / ".preparing"
    # A folder name may have another encoding.
    with file.open("a+", encoding="utf-8", errors="surrogateescape") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(
                f"{folder}: another process is preparing this data set; wait for it to end"
            ) from None
        claim.seek(0)
        interrupted = claim.read()
        if interrupted not in {"", source}:
            raise BenchError(
                f"{folder}: preparing {interrupted} was interrupted here; resume with that source, "
                "or start over with --force"
            )
        claim.write("" if interrupted else source)
        claim.flush()
        yield
        file.unlink()


def _prepare_part(
    reader: Reader, part: str, folder: Path, advance: Advance, *, clips: bool
) -> prepared.PreparedPartition:
    """Prepare one partition, or resume it."""
    done = folder / part
    if (done / _PART).exists():
        document = _read(done / _PART, prepared.PreparedPartition)
        advance(part, document.samples + sum(document.rejected.values()))
        _remove_working_files(done)
        return document
    work = folder / f"{part}.partial"
    work.mkdir(exist_ok=True)
    database = _linkable(reader.database(part), folder)
    if database and not (work / FILE).exists():
        (work / FILE).symlink_to(data_file(database).resolve())
    _write(reader, part, work, advance, clips=clips, writes=not database)
    fingerprint, size, reasons = rows.finish_table(
        work / _ROWS, work / prepared.SAMPLES, work / prepared.REJECTED
    )
    samples = _progress(work).listed - reasons.total()
    if not samples:
        raise BenchError(
            f"{work / prepared.REJECTED}: partition '{part}' has no usable sample, "
            f"{sum(reasons.values()):,} were rejected; read the reasons in this file, fix the "
            "source and prepare it with --force",
            Exit.UNVERIFIED,
        )
    table = rows.table_checksum(work / prepared.SAMPLES)
    document = prepared.PreparedPartition(
        samples, fingerprint, size, dict(sorted(reasons.items())), table
    )
    documents.write_bytes(work / _PART, documents.encode(document))
    shutil.rmtree(done, ignore_errors=True)
    work.rename(done)
    _remove_working_files(done)
    return document


def _remove_working_files(done: Path) -> None:
    """Remove the files that a preparation needs only to resume."""
    for file in (done / _ROWS, done / _PROGRESS, *done.glob(".*.part")):
        file.unlink(missing_ok=True)


def _linkable(database: Path | None, folder: Path) -> Path | None:
    """Return an LMDB that can be linked to, None for one that was unpacked here temporarily."""
    home = folder.parent.resolve()
    return None if database is None or database.resolve().is_relative_to(home) else database


def _write(
    reader: Reader, part: str, work: Path, advance: Advance, *, clips: bool, writes: bool
) -> None:
    """Write rows from the saved progress on, and images unless they stay in an existing LMDB."""
    progress = _progress(work)
    advance(part, progress.listed)
    table = rows.RowsWriter(work / _ROWS, reader.columns, progress.rows_bytes)
    entries = itertools.islice(reader.entries(part), progress.listed, None)
    if writes and not progress.listed:
        # A full disk may have left an incomplete first page.
        (work / FILE).unlink(missing_ok=True)
    with closing(table), _writer(work, writes=writes, clips=clips) as writer:
        for group in _grouped(_load_entries(entries)):
            numbered, kept = [], progress.kept
            for position, outcome in enumerate(group, progress.listed + 1):
                kept += isinstance(outcome, Sample)
                numbered.append((kept if writes else position, outcome))
            size = table.append(
                [_row(number, outcome, clips=clips) for number, outcome in numbered]
            )
            if writer:
                writer.write(
                    (number, outcome.entry.text, outcome.pixels)
                    for number, outcome in numbered
                    if isinstance(outcome, Sample)
                )
            progress = Progress(progress.listed + len(group), kept, size)
            documents.write_bytes(work / _PROGRESS, documents.encode(progress))
            advance(part, len(group))


@contextmanager
def _writer(work: Path, *, writes: bool, clips: bool) -> Iterator[LmdbWriter | None]:
    """Open the LMDB to write; None if an existing one is used."""
    if not writes:
        yield None
        return
    with closing(LmdbWriter(work, clips=clips)) as writer:
        yield writer


def _load_entries(entries: Iterable[Entry | Rejected]) -> Iterator[Sample | Rejected]:
    """Load entries in several threads, and yield them in order; few are in memory at a time."""
    threads = min(os.cpu_count() or 1, MAX_THREADS)
    remaining, pending = iter(entries), deque[Future[list[Sample | Rejected]]]()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while several := list(itertools.islice(remaining, _ENTRIES_PER_CALL)):
                pending.append(pool.submit(lambda these: list(map(_load, these)), several))
                if len(pending) >= _CALLS_PER_THREAD * threads:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _load(entry: Entry | Rejected) -> Sample | Rejected:
    if isinstance(entry, Rejected):
        return entry
    try:
        pixels = entry.load()
        sizes = [images.image_size(image) for image in pixels]
    except SampleError as error:
        return Rejected(entry.id, str(error))
    if len(set(sizes)) != 1:
        return Rejected(entry.id, "frames of several sizes" if sizes else "no frame")
    return Sample(entry, pixels, sizes[0], rows.content_hash(pixels))


def _grouped(outcomes: Iterable[Sample | Rejected]) -> Iterator[list[Sample | Rejected]]:
    """Yield groups of at most `MAX_GROUP_SAMPLES` and of about `MAX_GROUP_BYTES`."""
    group: list[Sample | Rejected] = []
    size = 0
    for outcome in outcomes:
        group.append(outcome)
        size += sum(map(len, outcome.pixels)) if isinstance(outcome, Sample) else 0
        if len(group) == MAX_GROUP_SAMPLES or size >= MAX_GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _row(number: int, outcome: Sample | Rejected, *, clips: bool) -> dict[str, object]:
    if isinstance(outcome, Rejected):
        return {"id": outcome.id, "reason": outcome.reason}
    entry, pixels = outcome.entry, outcome.pixels
    return {
        "id": entry.id,
        "text": entry.text,
        "number": number,
        "width": outcome.size.width,
        "height": outcome.size.height,
        "frames": len(pixels) if clips else 0,
        "bytes": sum(map(len, pixels)),
        "hash": outcome.hash,
        "reason": "",
        **entry.more,
    }


def _progress(work: Path) -> Progress:
    file = work / _PROGRESS
    return _read(file, Progress) if file.exists() else Progress()


def _read(file: Path, kind: type[T]) -> T:
    return documents.read(
        file,
        kind,
        prepared.SCHEMA,
        noun="document of a preparation",
        remedy="prepare it with --force",
    )

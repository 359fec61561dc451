"""A raw data set to prepared data: streamed, and resumed after an interruption.

Every group of samples is written in three steps: its rows are appended to a table, its pixels are
committed to an LMDB, and the progress is noted. Whatever was written beyond the last note is
written again, to the same bytes.
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

_GROUP = 1024
_GROUP_BYTES = 64 * 2**20
_AT_ONCE = 8
_AHEAD = 2
_MOST_THREADS = 16
_ROWS = "rows.arrows"
_NOTE = "progress.json"
_PART = "part.json"
T = TypeVar("T")


class Sample(NamedTuple):
    """An entry with its encoded pixels: of one image, or of every frame of a clip."""

    entry: Entry
    pixels: Sequence[bytes]
    size: images.Size
    hash: bytes


@dataclass(frozen=True)
class Progress:
    """How far a partition is: entries listed, samples kept, bytes of the table of rows."""

    listed: int = 0
    kept: int = 0
    rows_bytes: int = 0
    schema: int = prepared.SCHEMA


def prepare(
    reader: Reader, source: Path, folder: Path, advance: Advance, *, clips: bool
) -> Prepared:
    """Write what `reader` lists into `folder`, one LMDB a partition; return what is there then.

    Killed at any moment, it resumes there the next time. `clips` says that a sample is one.

    Raises BenchError where a partition lists nothing that can be used, where another source was
    being prepared here, where another process is at it, and where the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, str(source.resolve())), _disk_of(folder):
        parts = {part: _part(reader, part, folder, advance, clips=clips) for part in reader.parts}
        found = prepared.Prepared(
            name=folder.name,
            layout=type(reader).__name__,
            parts=parts,
            bench=bench.__version__,
        )
        documents.write_bytes(folder / prepared.DOCUMENT, documents.encode(found))
    return found


@contextmanager
def _disk_of(folder: Path) -> Iterator[None]:
    """Say of a full disk which one it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in disk.FULL:
            raise
        raise BenchError(
            f"{folder} cannot be written, for its disk is full; free some of it, then run the same "
            "again: it resumes"
        ) from None


@contextmanager
def _alone(folder: Path, source: str) -> Iterator[None]:
    """Keep other processes and other sources out of `folder` until it is prepared."""
    file = folder / ".preparing"
    # The name of a folder may be of another encoding.
    with file.open("a+", encoding="utf-8", errors="surrogateescape") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(
                f"{folder}: another process prepares these data; wait for it"
            ) from None
        claim.seek(0)
        begun = claim.read()
        if begun not in {"", source}:
            raise BenchError(
                f"{folder}: preparing {begun} was interrupted here; go on with that source, or "
                "prepare it again with --force"
            )
        claim.write("" if begun else source)
        claim.flush()
        yield
        file.unlink()


def _part(
    reader: Reader, part: str, folder: Path, advance: Advance, *, clips: bool
) -> prepared.PreparedPartition:
    """Prepare one partition, or the rest of it."""
    done = folder / part
    if (done / _PART).exists():
        found = _read(done / _PART, prepared.PreparedPartition)
        advance(part, found.samples + sum(found.rejected.values()))
        _tidy(done)
        return found
    work = folder / f"{part}.partial"
    work.mkdir(exist_ok=True)
    ready = _kept(reader.database(part), folder)
    if ready and not (work / FILE).exists():
        (work / FILE).symlink_to(data_file(ready).resolve())
    _write(reader, part, work, advance, clips=clips, writes=not ready)
    fingerprint, size, reasons = rows.finish_table(
        work / _ROWS, work / prepared.SAMPLES, work / prepared.REJECTED
    )
    kept = _note(work).listed - reasons.total()
    if not kept:
        raise BenchError(
            f"{work / prepared.REJECTED}: partition '{part}' has no sample that can be used, "
            f"{sum(reasons.values()):,} were rejected; look there for why, mend the source and "
            "prepare it with --force",
            Exit.UNVERIFIED,
        )
    table = rows.table_checksum(work / prepared.SAMPLES)
    found = prepared.PreparedPartition(
        kept, fingerprint, size, dict(sorted(reasons.items())), table
    )
    documents.write_bytes(work / _PART, documents.encode(found))
    shutil.rmtree(done, ignore_errors=True)
    work.rename(done)
    _tidy(done)
    return found


def _tidy(done: Path) -> None:
    """Remove what only an interrupted preparation needs, or has left."""
    for file in (done / _ROWS, done / _NOTE, *done.glob(".*.part")):
        file.unlink(missing_ok=True)


def _kept(ready: Path | None, folder: Path) -> Path | None:
    """Return an LMDB that can be linked to: not one that was unpacked here, which will go."""
    home = folder.parent.resolve()
    return None if ready is None or ready.resolve().is_relative_to(home) else ready


def _write(
    reader: Reader, part: str, work: Path, advance: Advance, *, clips: bool, writes: bool
) -> None:
    """Write rows, and pixels unless they are in an LMDB already, from the last note on."""
    note = _note(work)
    advance(part, note.listed)
    table = rows.RowsWriter(work / _ROWS, reader.columns, note.rows_bytes)
    entries = itertools.islice(reader.entries(part), note.listed, None)
    if writes and not note.listed:
        # A disk that was full when it was made may have left half of its first pages.
        (work / FILE).unlink(missing_ok=True)
    with closing(table), _writer(work, writes=writes, clips=clips) as writer:
        for group in _groups(_loaded(entries)):
            numbered, kept = [], note.kept
            for place, outcome in enumerate(group, note.listed + 1):
                kept += isinstance(outcome, Sample)
                numbered.append((kept if writes else place, outcome))
            size = table.append(
                [_row(number, outcome, clips=clips) for number, outcome in numbered]
            )
            if writer:
                writer.write(
                    (number, outcome.entry.text, outcome.pixels)
                    for number, outcome in numbered
                    if isinstance(outcome, Sample)
                )
            note = Progress(note.listed + len(group), kept, size)
            documents.write_bytes(work / _NOTE, documents.encode(note))
            advance(part, len(group))


@contextmanager
def _writer(work: Path, *, writes: bool, clips: bool) -> Iterator[LmdbWriter | None]:
    """Open the LMDB to write, unless it is one that was there already."""
    if not writes:
        yield None
        return
    with closing(LmdbWriter(work, clips=clips)) as writer:
        yield writer


def _loaded(entries: Iterable[Entry | Rejected]) -> Iterator[Sample | Rejected]:
    """Load entries side by side, yield them in their order; few are held at once."""
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    rest, waiting = iter(entries), deque[Future[list[Sample | Rejected]]]()
    with ThreadPoolExecutor(threads) as pool:
        try:
            # One at a time, they would take a third more processor time.
            while several := list(itertools.islice(rest, _AT_ONCE)):
                waiting.append(pool.submit(lambda these: list(map(_load, these)), several))
                if len(waiting) >= _AHEAD * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
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


def _groups(outcomes: Iterable[Sample | Rejected]) -> Iterator[list[Sample | Rejected]]:
    """Cut into groups of at most so many, and about so many bytes."""
    group: list[Sample | Rejected] = []
    size = 0
    for outcome in outcomes:
        group.append(outcome)
        size += sum(map(len, outcome.pixels)) if isinstance(outcome, Sample) else 0
        if len(group) == _GROUP or size >= _GROUP_BYTES:
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


def _note(work: Path) -> Progress:
    file = work / _NOTE
    return _read(file, Progress) if file.exists() else Progress()


def _read(file: Path, kind: type[T]) -> T:
    return documents.read(
        file, kind, prepared.SCHEMA, noun="note of preparing", remedy="prepare it with --force"
    )

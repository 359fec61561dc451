"""LMDBs to read: one environment a process, opened when it is first needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import lmdb

from bench.core.errors import BenchError, Exit
from bench.core.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FILE = "data.mdb"
SAMPLES = b"num-samples"
_MAGIC = (0xBEEFC0DE).to_bytes(4, "little")
_MAGIC_AT = 16
"""Where it is in the first page, behind the page's own header."""
_MAP_BYTES = 64 * 2**20


def lmdb_key(kind: str, number: int, frame: int | None = None) -> bytes:
    """Return a key of the layout that clovaai's LMDBs have, or of a frame of a clip beside it."""
    return f"{kind}-{number:09d}{'' if frame is None else f'-{frame:05d}'}".encode()


def data_file(place: Path) -> Path:
    """Return the file of an LMDB that is a folder or a single file."""
    return place if place.is_file() else place / FILE


def is_lmdb(file: Path) -> bool:
    """Return whether a file begins as LMDB's files do, whatever is in it."""
    try:
        with open_regular(file) as stream:
            return stream.read(_MAGIC_AT + len(_MAGIC)).endswith(_MAGIC)
    except OSError:
        return False


class Database:
    """An LMDB, a folder or a single file, that this process reads through one transaction.

    Raises BenchError where `place` holds none, or one that was cut short.
    """

    def __init__(self, place: Path) -> None:
        file = data_file(place)
        if file.is_symlink() and not file.exists():
            raise BenchError(
                f"{file}: this is a link to {file.resolve()}, which has gone; put it back, or "
                "prepare it again with --force",
                Exit.UNVERIFIED,
            )
        try:
            open_regular(file).close()  # LMDB would wait for the writer of a pipe
            # Nobody writes what is prepared, so that readers need no lock.
            self._environment = lmdb.open(
                os.fsencode(file),  # a name may be of another encoding
                subdir=False,
                readonly=True,
                lock=False,
                readahead=False,
                meminit=False,
            )
        except (lmdb.Error, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            fault = f"{file}: this is no LMDB ({why}); copy or prepare it again"
            raise BenchError(fault, Exit.UNVERIFIED) from None
        pages = self._environment.info()["last_pgno"] + 1
        wanted, there = pages * self._environment.stat()["psize"], file.stat().st_size
        # One that was cut short opens well, and kills the process that reads beyond its end.
        if there < wanted:
            self._environment.close()
            raise BenchError(
                f"{file}: it is truncated, {there:,} of {wanted:,} bytes are there; "
                "copy or prepare it again",
                Exit.UNVERIFIED,
            )
        self._transaction = self._environment.begin()
        self.closed = False

    def get(self, name: bytes) -> bytes | None:
        """Return the value of a key, None where there is none."""
        found = self._transaction.get(name)
        return None if found is None else bytes(found)

    def keys(self) -> int:
        """Return how many keys there are."""
        found: int = self._environment.stat()["entries"]
        return found

    def keys_from(self, start: bytes) -> Iterator[bytes]:
        """Yield the keys from the first that is not before `start`, in their order."""
        cursor = self._transaction.cursor()
        if cursor.set_range(start):
            yield from map(bytes, cursor.iternext(values=False))

    def close(self) -> None:
        """Leave the file."""
        if not self.closed:
            self.closed = True
            self._transaction.abort()
            self._environment.close()


_open: WeakValueDictionary[Path, Database] = WeakValueDictionary()


def open_database(place: Path) -> Database:
    """Return the LMDB that is or is in `place`, the same one while somebody holds it.

    LMDB allows no second in a process. It goes by the file: prepared data may link to that of a
    release.
    """
    real = data_file(place).resolve()
    found = _open.get(real)
    if found is None or found.closed:
        found = _open[real] = Database(place)
    return found


def _forked() -> None:
    """Leave the files of the parent, which a child may not go on with; it opens its own."""
    for found in list(_open.values()):
        found.close()


os.register_at_fork(after_in_child=_forked)


class LmdbWriter:
    """An LMDB being written in the layout of clovaai's; its map grows as it has to."""

    def __init__(self, folder: Path, *, clips: bool) -> None:
        self._file = folder / FILE
        try:
            self._environment = lmdb.open(os.fsencode(folder), map_size=_MAP_BYTES, lock=False)
        except lmdb.Error as error:
            raise self._unwritable(error) from None
        self._clips = clips

    def write(self, samples: Iterable[tuple[int, str, Sequence[bytes]]]) -> None:
        """Write samples durably: number, transcript, encoded pixels.

        Raises BenchError where the disk takes no more.
        """
        pairs = list(self._pairs(samples))
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for name, value in pairs:
                        transaction.put(name, value)
            except lmdb.MapFullError:
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            except lmdb.Error as error:
                raise self._unwritable(error) from None
            else:
                return

    def close(self) -> None:
        """Leave the file."""
        self._environment.close()

    def _unwritable(self, error: lmdb.Error) -> BenchError:
        return BenchError(
            f"{self._file} cannot be written ({error}); look whether its disk is full, then run "
            "the same again: it resumes, or add --force to prepare all of it again"
        )

    def _pairs(
        self, samples: Iterable[tuple[int, str, Sequence[bytes]]]
    ) -> Iterator[tuple[bytes, bytes]]:
        last = 0
        for number, text, pixels in samples:
            yield lmdb_key("label", number), text.encode()
            if self._clips:
                yield lmdb_key("frames", number), str(len(pixels)).encode()
            for frame, image in enumerate(pixels):
                yield lmdb_key("image", number, frame if self._clips else None), image
            last = number
        if last:
            yield SAMPLES, str(last).encode()

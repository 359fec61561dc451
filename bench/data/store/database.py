"""LMDBs: reading with one environment per file and process, and writing."""

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
_MAGIC_OFFSET = 16
"""Bytes before the magic number: the header of the first page."""
_MAP_BYTES = 64 * 2**20


def lmdb_key(kind: str, number: int, frame: int | None = None) -> bytes:
    """Return a key as in clovaai's LMDBs, `image-000000001`, or that of a frame with its number."""
    return f"{kind}-{number:09d}{'' if frame is None else f'-{frame:05d}'}".encode()


def data_file(path: Path) -> Path:
    """Return the file of an LMDB that is a folder or a single file."""
    return path if path.is_file() else path / FILE


def is_lmdb(file: Path) -> bool:
    """Return whether a file begins with the magic number of LMDB."""
    try:
        with open_regular(file) as stream:
            return stream.read(_MAGIC_OFFSET + len(_MAGIC)).endswith(_MAGIC)
    except OSError:
        return False


class Database:
    """An LMDB (a folder or a single file) that this process reads in one transaction.

    Raises:
        BenchError: There is no LMDB at `path`, or it is truncated.
    """

    def __init__(self, path: Path) -> None:
        file = data_file(path)
        if file.is_symlink() and not file.exists():
            raise BenchError(
                f"{file}: this is a link to {file.resolve()}, which does not exist; "
                "restore that file, or prepare the data set again with --force",
                Exit.UNVERIFIED,
            )
        try:
            open_regular(file).close()  # LMDB would wait for the writer of a pipe
            # Prepared data are never written again, so readers need no lock.
            self._environment = lmdb.open(
                os.fsencode(file),  # a file name may have another encoding
                subdir=False,
                readonly=True,
                lock=False,
                readahead=False,
                meminit=False,
            )
        except (lmdb.Error, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            fault = f"{file}: this is not an LMDB ({why}); copy or prepare it again"
            raise BenchError(fault, Exit.UNVERIFIED) from None
        pages = self._environment.info()["last_pgno"] + 1
        expected, present = pages * self._environment.stat()["psize"], file.stat().st_size
        # LMDB opens a truncated file, and a read beyond its end kills the process.
        if present < expected:
            self._environment.close()
            raise BenchError(
                f"{file}: it is truncated, with {present:,} of {expected:,} bytes; "
                "copy or prepare it again",
                Exit.UNVERIFIED,
            )
        self._transaction = self._environment.begin()
        self.closed = False

    def get(self, name: bytes) -> bytes | None:
        """Return the value of a key, None if there is no such key."""
        value = self._transaction.get(name)
        return None if value is None else bytes(value)

    def keys(self) -> int:
        """Return the number of keys."""
        entries: int = self._environment.stat()["entries"]
        return entries

    def keys_from(self, start: bytes) -> Iterator[bytes]:
        """Yield the keys in order, from the first that is not before `start`."""
        cursor = self._transaction.cursor()
        if cursor.set_range(start):
            yield from map(bytes, cursor.iternext(values=False))

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self.closed = True
            self._transaction.abort()
            self._environment.close()


_open: WeakValueDictionary[Path, Database] = WeakValueDictionary()


def open_database(path: Path) -> Database:
    """Return the LMDB at `path`; the same object while it is referenced.

    LMDB allows one environment per file and process. Links are resolved first, because prepared
    data may link to the file of a release.
    """
    real = data_file(path).resolve()
    opened = _open.get(real)
    if opened is None or opened.closed:
        opened = _open[real] = Database(path)
    return opened


def _forked() -> None:
    """Close the LMDBs of the parent, which a child must not use; it opens its own."""
    for opened in list(_open.values()):
        opened.close()


os.register_at_fork(after_in_child=_forked)


class LmdbWriter:
    """Writes an LMDB with the keys of clovaai's; its map grows when it is full."""

    def __init__(self, folder: Path, *, clips: bool) -> None:
        self._file = folder / FILE
        try:
            self._environment = lmdb.open(os.fsencode(folder), map_size=_MAP_BYTES, lock=False)
        except lmdb.Error as error:
            raise self._unwritable(error) from None
        self._clips = clips

    def write(self, samples: Iterable[tuple[int, str, Sequence[bytes]]]) -> None:
        """Write samples durably.

        Args:
            samples: The number, the transcript and the encoded images of each sample.

        Raises:
            BenchError: The file cannot be written, such as on a full disk.
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
        """Close the file."""
        self._environment.close()

    def _unwritable(self, error: lmdb.Error) -> BenchError:
        return BenchError(
            f"{self._file} cannot be written ({error}); check whether the disk is full, then run "
            "the same command again to resume, or with --force to start over"
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

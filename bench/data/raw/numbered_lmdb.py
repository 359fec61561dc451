"""LMDBs with numbered samples: `label-%09d`, `image-%09d`, and `num-samples`.

PARSeq, ABINet, mmocr, PaddleOCR and OpenOCR use the same keys.

Source: Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (ICCV 2019), by
its code.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import lmdb

from bench.core.errors import BenchError, Exit
from bench.data.raw.entries import SampleError
from bench.data.store.database import SAMPLES, Database, data_file, lmdb_key, open_database

DIGITS = 9
_MAX_SHOWN = 40
BEYOND_COUNT = "a label beyond num-samples"
"""The reason for rejecting the samples of `labels_beyond`."""


class NumberedLmdb:
    """One LMDB (a folder or a file), which any thread may read, and a child after a fork.

    Attributes:
        path: Its folder or file.
        numbers: The numbers of its samples, from 1, or from 0 if there is a label 0.

    Raises:
        BenchError: The LMDB is truncated, or has no valid `num-samples`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reopen_lock = threading.Lock()
        self._database = open_database(path)
        count = self._count()
        first = 1 if self.label(0) is None else 0
        self.numbers = range(first, first + count)

    def label(self, number: int) -> bytes | None:
        """Return the label of a sample, None if there is none. Raises BenchError."""
        return self.annotation(lmdb_key("label", number))

    def image(self, number: int) -> tuple[bytes]:
        """Return the image of a sample. Raises SampleError if there is none."""
        content = self._image(number)
        if content is None:
            raise SampleError("no key of its image")
        return (content,)

    def has_image(self, number: int) -> bool:
        """Return whether there is an image of a sample. Raises SampleError."""
        return self._image(number) is not None

    def labels_beyond(self) -> Iterator[int]:
        """Yield the numbers of labels beyond the last of `numbers`. Raises BenchError."""
        try:
            for name in self._current().keys_from(lmdb_key("label", self.numbers.stop)):
                kind, _, number = name.partition(b"-")
                if kind != b"label":
                    return
                if number.isdigit() and len(number) == DIGITS:
                    yield int(number)
        except lmdb.Error as error:
            raise self.broken(f"its keys cannot be read ({error})") from None

    def annotation(self, name: bytes) -> bytes | None:
        """Return the value of any key, None if there is no such key. Raises BenchError."""
        try:
            return self._current().get(name)
        except lmdb.Error as error:
            raise self.broken(f"its key {name.decode()} cannot be read ({error})") from None

    def broken(self, fault: str) -> BenchError:
        """Return the error for an LMDB that cannot be used."""
        return BenchError(
            f"{data_file(self.path)}: {fault}; copy or download this LMDB again", Exit.UNVERIFIED
        )

    def _image(self, number: int) -> bytes | None:
        try:
            return self._current().get(lmdb_key("image", number))
        except lmdb.Error as error:
            raise SampleError(f"an image that cannot be read ({error})") from None

    def _current(self) -> Database:
        # Reopened only in a child after a fork; the lock is never held at a fork of the parent.
        if self._database.closed:
            with self._reopen_lock:
                if self._database.closed:
                    self._database = open_database(self.path)
        return self._database

    def _count(self) -> int:
        """Return the value of `num-samples`. Raises BenchError if it is not plausible."""
        value = self.annotation(SAMPLES)
        if value is None:
            raise self.broken(f"it has no key {SAMPLES.decode()}")
        digits = value.strip()
        if not (digits.isdigit() and len(digits) <= DIGITS):
            raise self.broken(
                f"its {SAMPLES.decode()} is not a number of samples but {value[:_MAX_SHOWN]!r}"
            )
        # Single samples may lack a key. If most do, the LMDB was not written completely.
        keys = self._current().keys() - 1
        if int(digits) > keys:
            raise self.broken(
                f"its {SAMPLES.decode()} is {int(digits)}, and it has {keys} other keys, not two "
                "each"
            )
        return int(digits)

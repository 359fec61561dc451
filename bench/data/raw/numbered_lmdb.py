"""LMDBs whose samples have numbers: `label-%09d`, `image-%09d`, and `num-samples`.

The form of Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (2019), kept
by PARSeq, ABINet, mmocr, PaddleOCR and OpenOCR.
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
_SHOWN = 40
BEHIND = "a label behind num-samples"
"""Why a sample is rejected that `labels_beyond` finds."""


class NumberedLmdb:
    """One LMDB, a folder or a file, read in any thread and, after a fork, in the child.

    Making one raises BenchError where it was cut short, or has no sensible `num-samples`.

    Attributes:
        place: Its folder or file.
        numbers: Those of its samples: from 1, but from 0 where there is a label 0.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._reopening = threading.Lock()
        self._database = open_database(place)
        count = self._count()
        first = 1 if self.label(0) is None else 0
        self.numbers = range(first, first + count)

    def label(self, number: int) -> bytes | None:
        """Return the label of a sample, None where there is none. Raises BenchError."""
        return self.annotation(lmdb_key("label", number))

    def image(self, number: int) -> tuple[bytes]:
        """Return the image of a sample. Raises SampleError where there is none."""
        content = self._image(number)
        if content is None:
            raise SampleError("no key of its image")
        return (content,)

    def has_image(self, number: int) -> bool:
        """Return whether there is an image of a sample. Raises SampleError."""
        return self._image(number) is not None

    def labels_beyond(self) -> Iterator[int]:
        """Yield the numbers of labels behind the last of `numbers`. Raises BenchError."""
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
        """Return the value of any key, None where there is none. Raises BenchError."""
        try:
            return self._current().get(name)
        except lmdb.Error as error:
            raise self.broken(f"its key {name.decode()} cannot be read ({error})") from None

    def broken(self, fault: str) -> BenchError:
        """Return the error of an LMDB that cannot be used."""
        return BenchError(
            f"{data_file(self.place)}: {fault}; copy or download this LMDB again", Exit.UNVERIFIED
        )

    def _image(self, number: int) -> bytes | None:
        try:
            return self._current().get(lmdb_key("image", number))
        except lmdb.Error as error:
            raise SampleError(f"an image that cannot be read ({error})") from None

    def _current(self) -> Database:
        # The lock is for a child alone: one that another thread held at the fork stays locked.
        if self._database.closed:
            with self._reopening:
                if self._database.closed:
                    self._database = open_database(self.place)
        return self._database

    def _count(self) -> int:
        """Return how many samples there are said to be."""
        said = self.annotation(SAMPLES)
        if said is None:
            raise self.broken(f"it has no key {SAMPLES.decode()}")
        digits = said.strip()
        if not (digits.isdigit() and len(digits) <= DIGITS):
            raise self.broken(
                f"its {SAMPLES.decode()} is no number of samples but {said[:_SHOWN]!r}"
            )
        # One sample or another may lack a key. Where most do, the LMDB was never written out.
        keys = self._current().keys() - 1
        if int(digits) > keys:
            raise self.broken(
                f"its {SAMPLES.decode()} is {int(digits)}, and it has {keys} other keys, not two "
                "each"
            )
        return int(digits)

"""LMDBs of images and labels, as they are handed out for scene-text recognition.

The form of Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons?" (2019), kept
by PARSeq and ABINet: `num-samples`, and `image-%09d` and `label-%09d` counted from 1.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import lmdb

from bench.core.errors import BenchError, Exit
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected, SampleError
from bench.data.store.database import FILE, SAMPLES, database, key

Folders = Mapping[str, Sequence[str]]
"""For each partition, what the folder of its LMDB may be called, the likeliest first."""

RELEASES = (
    "training",
    "train",
    "data_lmdb_release",
    "data_lmdb_release/training",
    "data",
    "data/train",
)
"""Where clovaai's and PARSeq's releases have them."""
_DIGITS = 9


def databases(folder: Path, folders: Folders) -> dict[str, Path]:
    """Return the folders of those LMDBs that are in `folder`, by their partitions."""
    found: dict[str, Path] = {}
    for part, names in folders.items():
        for name in names:
            if (folder / name / FILE).is_file():
                found.setdefault(part, folder / name)
    return found


class LmdbRelease:
    """Those of the partitions `folders` that there are, an LMDB each, whose images stay in it.

    A sample's id is its number under the name of the LMDB's folder. An LMDB is a BenchError where
    it was cut short, or has no sensible `num-samples`. A sample is rejected where it has no label,
    or one that is no UTF-8; that it has no image it says when it is loaded.
    """

    columns: Sequence[str] = ()

    def __init__(self, source: Path, folders: Folders) -> None:
        near = tree.root(source, lambda folder: databases(folder, folders), RELEASES)
        if near is None:
            names = ", ".join(name for names in folders.values() for name in names)
            raise BenchError(
                f"{source}: there is no LMDB (a folder with {FILE}) called {names} in it, in "
                f"{', '.join(RELEASES)} or above it; name the folder that holds it"
            )
        found = databases(near, folders)
        self._readers = {part: _Reader(folder) for part, folder in found.items()}
        self.parts: Sequence[str] = tuple(found)

    def database(self, part: str) -> Path:
        """Return the folder of the partition's LMDB."""
        return self._readers[part].folder

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the samples by their numbers. Raises BenchError where a label cannot be read."""
        reader = self._readers[part]
        for number in range(1, reader.samples + 1):
            name = f"{reader.folder.name}/{number:0{_DIGITS}d}"
            label = reader.label(number)
            if label is None:
                yield Rejected(name, "no key of its label")
                continue
            try:
                text = label.decode()
            except UnicodeDecodeError:
                yield Rejected(name, "a label that is no UTF-8")
            else:
                yield Entry(name, text, partial(reader.image, number))


class _Reader:
    """One LMDB, read in any thread and, after a fork, in the child."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reopening = threading.Lock()
        self._database = database(folder)
        self.samples = self._count()

    def label(self, number: int) -> bytes | None:
        """Return the label of a sample, None where there is none. Raises BenchError."""
        return self._annotation(key("label", number))

    def image(self, number: int) -> tuple[bytes]:
        """Return the image of a sample. Raises SampleError where there is none."""
        try:
            content = self._get(key("image", number))
        except lmdb.Error as error:
            raise SampleError(f"an image that cannot be read ({error})") from None
        if content is None:
            raise SampleError("no key of its image")
        return (content,)

    def _annotation(self, name: bytes) -> bytes | None:
        try:
            return self._get(name)
        except lmdb.Error as error:
            raise self._broken(f"its key {name.decode()} cannot be read ({error})") from None

    def _get(self, name: bytes) -> bytes | None:
        # The lock is for a child alone: one that another thread held at the fork stays locked.
        if self._database.closed:
            with self._reopening:
                if self._database.closed:
                    self._database = database(self.folder)
        return self._database.get(name)

    def _count(self) -> int:
        """Return how many samples there are said to be."""
        said = self._annotation(SAMPLES)
        if said is None:
            raise self._broken(f"it has no key {SAMPLES.decode()}")
        if not (said.isdigit() and len(said) <= _DIGITS):
            raise self._broken(f"its {SAMPLES.decode()} is no number of samples")
        # One sample or another may lack a key. Where most do, the LMDB was never written out.
        keys = self._database.keys() - 1
        if int(said) > keys:
            raise self._broken(
                f"its {SAMPLES.decode()} is {int(said)}, and it has {keys} other keys, not two each"
            )
        return int(said)

    def _broken(self, fault: str) -> BenchError:
        return BenchError(
            f"{self.folder / FILE}: {fault}; copy or download this LMDB again", Exit.UNVERIFIED
        )

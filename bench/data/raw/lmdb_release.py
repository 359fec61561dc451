"""LMDBs of images and labels, as they are handed out for scene-text recognition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.numbered_lmdb import BEHIND, DIGITS, NumberedLmdb
from bench.data.store.database import FILE, is_lmdb

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


_FILES = ("", ".lmdb", ".mdb")
"""What the name of an LMDB that is a single file has behind that of the folder in its place."""


def databases(folder: Path, folders: Folders) -> dict[str, Path]:
    """Return the folders or files of those LMDBs that are in `folder`, by their partitions."""
    found: dict[str, Path] = {}
    for part, names in folders.items():
        for name in names:
            files = (folder / f"{name}{suffix}" for suffix in _FILES)
            if (folder / name / FILE).is_file():
                found.setdefault(part, folder / name)
            elif single := next(filter(is_lmdb, files), None):
                found.setdefault(part, single)
    return found


class LmdbRelease:
    """Those of the partitions `folders` that there are, an LMDB each, whose images stay in it.

    A sample's id is its number under the name of the LMDB's folder, or of its file without the
    suffix. An LMDB is a BenchError where it was cut short, or has no sensible `num-samples`. A
    sample is rejected where it has no label, one that is no UTF-8, or one behind `num-samples`;
    that it has no image it says when it is loaded.
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
        self._readers = {part: NumberedLmdb(folder) for part, folder in found.items()}
        self.parts: Sequence[str] = tuple(found)

    def database(self, part: str) -> Path | None:
        """Return the LMDB of the partition, None where it counts from 0."""
        reader = self._readers[part]
        return reader.place if reader.numbers.start == 1 else None

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the samples by their numbers. Raises BenchError where a label cannot be read."""
        reader = self._readers[part]
        folder = reader.place.name if reader.place.is_dir() else reader.place.stem
        for number in reader.numbers:
            name = f"{folder}/{number:0{DIGITS}d}"
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
        for number in reader.labels_beyond():
            yield Rejected(f"{folder}/{number:0{DIGITS}d}", BEHIND)

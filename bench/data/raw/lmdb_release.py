"""Reader of the LMDBs of images and labels that are distributed for scene text recognition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.numbered_lmdb import BEYOND_COUNT, DIGITS, NumberedLmdb
from bench.data.store.database import FILE, is_lmdb

Folders = Mapping[str, Sequence[str]]
"""For each partition, the possible folder names of its LMDB, the most likely first."""

RELEASES = (
    "training",
    "train",
    "data_lmdb_release",
    "data_lmdb_release/training",
    "data",
    "data/train",
)
"""The folders of LMDBs in the releases of clovaai and PARSeq."""


_FILE_SUFFIXES = ("", ".lmdb", ".mdb")
"""The suffixes of an LMDB that is a single file instead of a folder."""


def find_databases(folder: Path, folders: Folders) -> dict[str, Path]:
    """Return the LMDBs (folders or files) that exist in `folder`, by partition."""
    databases: dict[str, Path] = {}
    for part, names in folders.items():
        for name in names:
            files = (folder / f"{name}{suffix}" for suffix in _FILE_SUFFIXES)
            if (folder / name / FILE).is_file():
                databases.setdefault(part, folder / name)
            elif single := next(filter(is_lmdb, files), None):
                databases.setdefault(part, single)
    return databases


class LmdbRelease:
    """Reader with one LMDB per partition; images stay in their LMDB.

    The id of a sample is the name of the LMDB's folder, or of its file without suffix, and its
    number. A sample is rejected if it has no label, a label that is not UTF-8, or a number beyond
    `num-samples`. A missing image is a SampleError when it is loaded.

    Args:
        source: The folder, a folder in it or above it.
        folders: The possible folder names of each partition.

    Raises:
        BenchError: No such LMDB exists, or one is truncated or has no valid `num-samples`.
    """

    columns: Sequence[str] = ()

    def __init__(self, source: Path, folders: Folders) -> None:
        root = tree.find_root(source, lambda folder: find_databases(folder, folders), RELEASES)
        if root is None:
            names = ", ".join(name for names in folders.values() for name in names)
            raise BenchError(
                f"{source}: there is no LMDB (a folder with {FILE}) called {names} in it, in "
                f"{', '.join(RELEASES)} or above it; name the folder that has it"
            )
        databases = find_databases(root, folders)
        self._readers = {part: NumberedLmdb(folder) for part, folder in databases.items()}
        self.parts: Sequence[str] = tuple(databases)

    def database(self, part: str) -> Path | None:
        """Return the LMDB of the partition, None if its numbers start at 0."""
        reader = self._readers[part]
        return reader.path if reader.numbers.start == 1 else None

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the samples by number. Raises BenchError if a label cannot be read."""
        reader = self._readers[part]
        folder = reader.path.name if reader.path.is_dir() else reader.path.stem
        for number in reader.numbers:
            name = f"{folder}/{number:0{DIGITS}d}"
            label = reader.label(number)
            if label is None:
                yield Rejected(name, "no key of its label")
                continue
            try:
                text = label.decode()
            except UnicodeDecodeError:
                yield Rejected(name, "a label that is not UTF-8")
            else:
                yield Entry(name, text, partial(reader.image, number))
        for number in reader.labels_beyond():
            yield Rejected(f"{folder}/{number:0{DIGITS}d}", BEYOND_COUNT)

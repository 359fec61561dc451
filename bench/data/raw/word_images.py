"""Readers of words of scene text, for either form in which they are distributed."""

from __future__ import annotations

from pathlib import Path

from bench.core.errors import BenchError
from bench.data import cards
from bench.data.raw import image_tree as tree
from bench.data.raw.annotations import FILES, RELEASE, Annotations, find_partitions
from bench.data.raw.entries import Reader
from bench.data.raw.lmdb_release import RELEASES, Folders, LmdbRelease, find_databases

_UNREADABLE = "unreadable.txt"
"""A file beside a card: damaged images that users leave out; some decoders read half of them."""


def tree_or_lmdb(name: str, source: Path, folders: Folders) -> Reader:
    """Return the reader of annotation files or LMDBs near `source`.

    Args:
        name: The name of the data set.
        source: The folder that was named.
        folders: The possible folder names of its LMDBs, by partition.

    Raises:
        BenchError: There are neither annotation files nor such LMDBs.
    """
    root = tree.find_root(
        source,
        lambda folder: find_partitions(folder) or find_databases(folder, folders),
        [RELEASE, *RELEASES],
    )
    if root and find_partitions(root):
        return Annotations(root, _unreadable(name))
    if root:
        return LmdbRelease(root, folders)
    called = ", ".join(names[0] for names in folders.values())
    raise BenchError(
        f"{source}: this is not the raw data set of '{name}': there is no file "
        f"{' or '.join(FILES.values())} and no LMDB such as {called}; name the folder that has "
        "them"
    )


def _unreadable(name: str) -> list[str]:
    file = cards.cards_folder() / name / _UNREADABLE
    paths = file.read_text(encoding="utf-8").split() if file.exists() else []
    return [path.removeprefix("./").rpartition(".")[0] for path in paths]

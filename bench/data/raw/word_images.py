"""Words of scene text, in whichever form they were handed out."""

from __future__ import annotations

from pathlib import Path

from bench.core.errors import BenchError
from bench.data import cards
from bench.data.raw import image_tree as tree
from bench.data.raw.annotations import FILES, RELEASE, Annotations, partitions
from bench.data.raw.entries import Reader
from bench.data.raw.lmdb_release import RELEASES, Folders, LmdbRelease, databases

_UNREADABLE = "unreadable.txt"
"""Beside a card: what everybody leaves out, as some decoders make half an image of it."""


def tree_or_lmdb(name: str, source: Path, folders: Folders) -> Reader:
    """Return the reader of the data set `name` that is nearest to `source`.

    `folders` is what its LMDBs are called. Raises BenchError where there is neither such a tree of
    images nor one of these LMDBs.
    """
    near = tree.root(
        source,
        lambda folder: partitions(folder) or databases(folder, folders),
        [RELEASE, *RELEASES],
    )
    if near and partitions(near):
        return Annotations(near, _unreadable(name))
    if near:
        return LmdbRelease(near, folders)
    called = ", ".join(names[0] for names in folders.values())
    raise BenchError(
        f"{source}: this is not the raw data set of '{name}': there is no file "
        f"{' or '.join(FILES.values())} and no LMDB such as {called}; name the folder that holds "
        "them"
    )


def _unreadable(name: str) -> list[str]:
    file = cards.cards_folder() / name / _UNREADABLE
    paths = file.read_text(encoding="utf-8").split() if file.exists() else []
    return [path.removeprefix("./").rpartition(".")[0] for path in paths]

"""Synth90k's tree: files of annotation, a lexicon, and an image a word.

Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
Recognition" (2014). Other collections of words come in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected

FILES = {
    "train": "annotation_train.txt",
    "validation": "annotation_val.txt",
    "test": "annotation_test.txt",
}
RELEASE = "mnt/ramdisk/max/90kDICT32px"
"""Where Synth90k's archive has them."""
_LEXICON = "lexicon.txt"

# Names that begin with a dot match neither, so that no path leads out of the folder.
_NAME = r"[^/.\\\0][^/\\\0]*"
_ROW = re.compile(rf"(?:\./)?(((?:{_NAME}/)*{_NAME})\.[A-Za-z0-9]+) ([0-9]{{1,9}})")
# `3000/7/182_slinking_71711.jpg 71711` has its word between underscores, and the row's number.
_WORDED = re.compile(
    r"(?:\./)?(((?:[^/._\\\0]++/)*+[0-9]++_([^/._\\\0]++)_([0-9]{1,9}))\.[A-Za-z0-9]++) \4"
)


def partitions(folder: Path) -> tuple[str, ...]:
    """Return the partitions whose files of annotation are in `folder`."""
    return tuple(part for part, name in FILES.items() if (folder / name).is_file())


class Annotations:
    """The partitions whose files of annotation there are.

    A row is a path and the number of its word in lexicon.txt, counted from 0. The word is read from
    a name such as `182_slinking_71711.jpg`, which keeps its case, else from the lexicon. A sample's
    id is its path without the suffix, that of a row without a sample its file and line.
    `unreadable` has the ids of those that are known to hold no image.
    """

    columns: Sequence[str] = ()

    def __init__(self, source: Path, unreadable: Collection[str] = ()) -> None:
        found = tree.root(source, partitions, [RELEASE])
        if found is None:
            raise BenchError(
                f"{source}: there is no {', no '.join(FILES.values())} in it, in {RELEASE} or "
                "above it; name the folder that holds them, such as 90kDICT32px"
            )
        self._folder = found
        self._unreadable = frozenset(unreadable)
        self._words = _lexicon(found / _LEXICON)
        self.parts: Sequence[str] = partitions(found)

    def database(self, part: str) -> None:
        """Return None: the images are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield a sample a row, but for blank ones. Raises BenchError where reading fails."""
        file = self._folder / FILES[part]
        # Nine million rows: what most of them are like is read here, without a call more.
        words = 10**9 if self._words is None else len(self._words)
        for number, row in enumerate(tree.lines(file), 1):
            worded = _WORDED.fullmatch(row)
            if worded and row.isascii():
                path, name, word, index = worded.groups()
                if int(index) < words and name not in self._unreadable:
                    yield Entry(name, word, partial(tree.image, self._folder, path))
                    continue
            if row:
                yield self._sample(row, worded and worded[3], f"{file.name}:{number}")

    def _sample(self, row: str, word: str | None, place: str) -> Entry | Rejected:
        """Return what any row holds, whose name has `word`; `place` names one without a path."""
        match = _ROW.fullmatch(row)
        if match is None or not tree.is_text(row):
            return Rejected(place, _fault(row))
        path, name, index = match.groups()
        if name in self._unreadable:
            return Rejected(name, "an image that is known to be unreadable")
        if self._words is not None and int(index) >= len(self._words):
            return Rejected(name, f"a number beyond the {len(self._words)} words of {_LEXICON}")
        if word is None:
            if self._words is None:
                return Rejected(name, f"no word in its name, and no {_LEXICON}")
            word = self._words[int(index)]
        if not word:
            return Rejected(name, f"an empty line of {_LEXICON}")
        return Entry(name, word, partial(tree.image, self._folder, path))


def _lexicon(file: Path) -> list[str] | None:
    """Return the words in the order of their numbers, None where there is no such file."""
    if not file.is_file():
        return None
    words = list(tree.lines(file))
    for number, word in enumerate(words, 1):
        if not tree.is_text(word):
            raise BenchError(
                f"{file}: line {number} is no UTF-8; take the file from the raw data set again"
            )
    return words


def _fault(row: str) -> str:
    """Say what is wrong with a row that has no sample."""
    if not tree.is_text(row):
        return "a row that is no UTF-8"
    if not tree.is_inside(row.rpartition(" ")[0] or row):
        return "a path out of the data set's folder"
    return "a row that is not a path and the number of a word"

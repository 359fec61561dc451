"""Synth90k's tree: files of annotation, a lexicon, and an image a word.

Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
Recognition" (2014). Other collections of words come in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, lru_cache, partial
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
_NAME = r"[^/.\0-\x1f\x7f-\x9f][^/\0-\x1f\x7f-\x9f]*"
_ROW = re.compile(rf"(?:\./)?(((?:{_NAME}/)*{_NAME})(\.[A-Za-z0-9]+)) ([0-9]{{1,9}})")
_LETTER = r"[^/._\\\0-\x1f\x7f-\x9f]"
_ASCII_LETTER = r"[!-\-0-\[\]^`a-~]"
_NOTHING: dict[str, str] = {}


def partitions(folder: Path) -> tuple[str, ...]:
    """Return the partitions whose files of annotation are in `folder`."""
    return tuple(part for part, name in FILES.items() if (folder / name).is_file())


class Annotations:
    """The partitions whose files of annotation there are.

    A row is a path and the number of its word in lexicon.txt, counted from 0. The word is read from
    a name such as `182_slinking_71711.jpg`, which keeps its case, where the lexicon has the same
    word or there is no lexicon; else it is the lexicon's. A sample's id is its path without the
    suffix; with it, where images of other suffixes have the same; and that of a row without a
    sample its file and line. `unreadable` has the ids of those that are known to hold no image.
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
        self._lower = self._words and [word.lower() for word in self._words]
        self.parts: Sequence[str] = partitions(found)

    def database(self, part: str) -> None:
        """Return None: the images are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield a sample a row, but for blank ones. Raises BenchError where reading fails."""
        file = self._folder / FILES[part]
        stems = _Stems(file)
        # Nine million rows: what most of them are like is read here, without a call more.
        fullmatch, image, new = stems.worded.fullmatch, tree.image, tuple.__new__
        folder, unreadable = self._folder, self._unreadable
        words = self._lower
        count = len(words or ())
        for number, line in enumerate(tree.whole_lines(file), 1):
            if worded := fullmatch(line):
                path, name, word, index = worded.groups()
                place = int(index)
                if (
                    words is None or (place < count and word.lower() == words[place])
                ) and name not in unreadable:
                    # As Entry(...) does, in half the time.
                    yield new(Entry, (name, word, partial(image, folder, path), _NOTHING))
                    continue
            if row := line.rstrip():
                yield self._sample(row, f"{file.name}:{number}", stems)

    def _sample(self, row: str, place: str, stems: _Stems) -> Entry | Rejected:
        """Return what any row holds; `place` names one without a path."""
        plain = _plain(row)
        match = _ROW.fullmatch(plain)
        if match is None or not tree.is_text(row):
            return Rejected(place, _fault(plain))
        path, stem, suffix, index = match.groups()
        name = path if stems.is_shared(stem, suffix) else stem
        if stem in self._unreadable:
            return Rejected(name, "an image that is known to be unreadable")
        worded = _worded(suffix, _LETTER).fullmatch(plain)
        word = worded and worded[3]
        if self._words is None:
            if word is None:
                return Rejected(name, f"no word in its name, and no {_LEXICON}")
        elif int(index) >= len(self._words):
            return Rejected(name, f"a number beyond the {len(self._words)} words of {_LEXICON}")
        elif word is None or word.lower() != self._words[int(index)].lower():
            word = self._words[int(index)]
        if not word:
            return Rejected(name, f"an empty line of {_LEXICON}")
        return Entry(name, word, partial(tree.image, self._folder, path))


class _Stems:
    """The paths without their suffixes in a file of annotation.

    An image of the suffix that the first row has is known by its path without it, and so is one of
    another suffix unless a second image has the same path without its suffix.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        first = next(filter(None, map(_ROW.fullmatch, map(_plain, tree.lines(file)))), None)
        self._usual = first[3] if first else ""
        self.worded = _worded(self._usual, _ASCII_LETTER)

    def is_shared(self, stem: str, suffix: str) -> bool:
        """Return whether an image needs its suffix to be told from another."""
        return suffix != self._usual and stem in self._shared

    @cached_property
    def _shared(self) -> set[str]:
        suffixes: dict[str, str] = {}
        rows = filter(None, map(_ROW.fullmatch, map(_plain, tree.lines(self._file))))
        return {row[2] for row in rows if suffixes.setdefault(row[2], row[3]) != row[3]}


@lru_cache(16)
def _worded(suffix: str, letter: str) -> re.Pattern[str]:
    """Return what matches a row whose word is in the name of its image, before the row's number.

    It is that of `3000/7/182_slinking_71711.jpg 71711`.
    """
    return re.compile(
        rf"(?:\./)?(((?:{letter}++/)*+[0-9]++_({letter}++)_([0-9]{{1,9}}))"
        rf"{re.escape(suffix)}) \4\s*"
    )


def _plain(row: str) -> str:
    """Return a row with slashes, where another system wrote backslashes, and without a tab."""
    path, _, index = row.replace("\t", " ").rpartition(" ")
    return f"{path.rstrip(' ')} {index}".replace("\\", "/")


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
    if "\0" in row:
        return "a row with NUL characters, as of UTF-16 without a byte order mark; save it as UTF-8"
    if not tree.is_text(row):
        return "a row that is no UTF-8"
    if not row.isprintable():
        return "a row with a control character"
    if not tree.is_inside(row.rpartition(" ")[0] or row):
        return "a path out of the data set's folder"
    return "a row that is not a path and the number of a word"

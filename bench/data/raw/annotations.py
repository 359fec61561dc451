"""Reader of the files of Synth90k: annotation files, a lexicon, and one image per word.

Other collections of words are distributed in the same form.

Source: Jaderberg et al., "Synthetic Data and Artificial Neural Networks for Natural Scene Text
Recognition" (2014).
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
"""Their folder in the archive of Synth90k."""
_LEXICON = "lexicon.txt"

# Neither pattern matches names that begin with a dot, so no path leads out of the folder.
_NAME = r"[^/.\0-\x1f\x7f-\x9f][^/\0-\x1f\x7f-\x9f]*"
_ROW = re.compile(rf"(?:\./)?(((?:{_NAME}/)*{_NAME})(\.[A-Za-z0-9]+)) ([0-9]{{1,9}})")
_LETTER = r"[^/._\\\0-\x1f\x7f-\x9f]"
_ASCII_LETTER = r"[!-\-0-\[\]^`a-~]"
_NO_COLUMNS: dict[str, str] = {}


def find_partitions(folder: Path) -> tuple[str, ...]:
    """Return the partitions whose annotation files are in `folder`."""
    return tuple(part for part, name in FILES.items() if (folder / name).is_file())


class Annotations:
    """Reader of words by annotation files; its partitions are those whose files exist.

    A row is a path and the number of its word in lexicon.txt, from 0. The word is taken from a name
    such as `182_slinking_71711.jpg`, which keeps its case, if the lexicon has the same word or does
    not exist; else it is taken from the lexicon. The id of a sample is its path without the suffix,
    or with it if images of other suffixes have the same path; that of a row without a sample is its
    file and line.

    Args:
        source: The folder, a folder in it or above it.
        unreadable: The ids of images that are known to be unreadable.

    Raises:
        BenchError: There is no annotation file.
    """

    columns: Sequence[str] = ()

    def __init__(self, source: Path, unreadable: Collection[str] = ()) -> None:
        root = tree.find_root(source, find_partitions, [RELEASE])
        if root is None:
            raise BenchError(
                f"{source}: there is no {', no '.join(FILES.values())} in it, in {RELEASE} or "
                "above it; name the folder that has them, such as 90kDICT32px"
            )
        self._folder = root
        self._unreadable = frozenset(unreadable)
        self._words = _lexicon(root / _LEXICON)
        self._lower = self._words and [word.lower() for word in self._words]
        self.parts: Sequence[str] = find_partitions(root)

    def database(self, part: str) -> None:
        """Return None: the images are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield one entry per row that is not blank. Raises BenchError if reading fails."""
        file = self._folder / FILES[part]
        stems = _Stems(file)
        # There are nine million rows: the usual form is handled here, without further calls.
        fullmatch, image, new = stems.worded.fullmatch, tree.read_encoded_image, tuple.__new__
        folder, unreadable = self._folder, self._unreadable
        words = self._lower
        count = len(words or ())
        for number, line in enumerate(tree.read_whole_lines(file), 1):
            if worded := fullmatch(line):
                path, name, word, index = worded.groups()
                position = int(index)
                if (
                    words is None or (position < count and word.lower() == words[position])
                ) and name not in unreadable:
                    # The same as Entry(...), in half the time.
                    yield new(Entry, (name, word, partial(image, folder, path), _NO_COLUMNS))
                    continue
            if row := line.rstrip():
                yield self._sample(row, f"{file.name}:{number}", stems)

    def _sample(self, row: str, row_name: str, stems: _Stems) -> Entry | Rejected:
        """Return the entry of any row; `row_name` is the id of a row without a path."""
        plain = _plain(row)
        match = _ROW.fullmatch(plain)
        if match is None or not tree.is_text(row):
            return Rejected(row_name, _fault(plain))
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
        return Entry(name, word, partial(tree.read_encoded_image, self._folder, path))


class _Stems:
    """The paths without suffixes of an annotation file, which become ids.

    The id of an image has no suffix if it has the suffix of the first row, or if no other image has
    the same path without suffix.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        first = next(filter(None, map(_ROW.fullmatch, map(_plain, tree.read_lines(file)))), None)
        self._usual = first[3] if first else ""
        self.worded = _worded(self._usual, _ASCII_LETTER)

    def is_shared(self, stem: str, suffix: str) -> bool:
        """Return whether an image needs its suffix to have a unique id."""
        return suffix != self._usual and stem in self._shared

    @cached_property
    def _shared(self) -> set[str]:
        suffixes: dict[str, str] = {}
        rows = filter(None, map(_ROW.fullmatch, map(_plain, tree.read_lines(self._file))))
        return {row[2] for row in rows if suffixes.setdefault(row[2], row[3]) != row[3]}


@lru_cache(16)
def _worded(suffix: str, letter: str) -> re.Pattern[str]:
    """Return a pattern for rows with the word in the name of the image, before the row's number.

    Such as `3000/7/182_slinking_71711.jpg 71711`.
    """
    return re.compile(
        rf"(?:\./)?(((?:{letter}++/)*+[0-9]++_({letter}++)_([0-9]{{1,9}}))"
        rf"{re.escape(suffix)}) \4\s*"
    )


def _plain(row: str) -> str:
    """Return a row with slashes instead of backslashes, and with spaces instead of tabs."""
    path, _, index = row.replace("\t", " ").rpartition(" ")
    return f"{path.rstrip(' ')} {index}".replace("\\", "/")


def _lexicon(file: Path) -> list[str] | None:
    """Return the words in the order of their numbers, None if there is no such file."""
    if not file.is_file():
        return None
    words = list(tree.read_lines(file))
    for number, word in enumerate(words, 1):
        if not tree.is_text(word):
            raise BenchError(
                f"{file}: line {number} is not UTF-8; copy the file from the raw data set again"
            )
    return words


def _fault(row: str) -> str:
    """Return the reason why a row is not a sample."""
    if "\0" in row:
        return "a row with NUL characters, as of UTF-16 without a byte order mark; save it as UTF-8"
    if not tree.is_text(row):
        return "a row that is not UTF-8"
    if not row.isprintable():
        return "a row with a control character"
    if not tree.is_inside(row.rpartition(" ")[0] or row):
        return "a path out of the data set's folder"
    return "a row that is not a path and the number of a word"

"""Files of labels as text: encodings, ends of lines, and which files may be lists of labels."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.regular_files import MAX_BYTES
from bench.core.text_encodings import MARKED, MAX_LINE, open_text
from bench.data.raw.labels.data_folder import DataFolder

BLANKS = " \t"
"""What is removed at both ends of a text. Not a no-break space, which may be meant."""
_OTHERS = (
    "readme",
    "license",
    "licence",
    "lexicon",
    "requirements",
    "alphabet",
    "charset",
    "vocab",
)


def named(data: DataFolder, suffixes: Sequence[str]) -> list[Path]:
    """Return the files of a folder that may be lists of labels, by their names.

    Left out are the label of a single image (`x.txt` or `x.gt.txt` beside `x.png`) and files such
    as a README.
    """
    candidates = [
        file
        for file in data.files
        if file.name.lower().endswith(tuple(suffixes)) and not file.name.lower().startswith(_OTHERS)
    ]
    folders = {file.parent for file in candidates}
    stems = {folder: {*map(_stem, data.images_in(folder))} for folder in folders}
    return [file for file in candidates if _stem(file.name) not in stems[file.parent]]


def _stem(name: str) -> str:
    """Return a name up to its first dot, which both files of a pair have in common."""
    return name.partition(".")[0]


@contextmanager
def opened(file: Path) -> Iterator[io.TextIOWrapper]:
    """Open a file of UTF-8, with or without a byte order mark, or of UTF-16 with one.

    Line feeds, carriage returns and both together end a line. Bytes that are not UTF-8 become
    surrogates, and so does what is not UTF-16, see `image_tree.is_text`. Raises BenchError where
    the file cannot be read.
    """
    try:
        with open_text(file, MARKED) as stream:
            yield stream
    except OSError as error:
        raise BenchError(
            f"{file} cannot be read ({error.strerror}); look at its permissions and its disk"
        ) from None


def bounded(stream: io.TextIOWrapper, file: Path) -> Iterator[str]:
    """Yield the lines of a file with their ends. Raises BenchError at one that is too long."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise BenchError(
                f"{file}:{number}: it has more than {MAX_LINE:,} characters, so this is no list "
                "of labels; name another file"
            )
        yield line


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that are not blank, with their numbers from 1.

    Raises BenchError where it cannot be read, and at a line that is too long to be one of labels.
    """
    with opened(file) as stream:
        for number, line in enumerate(bounded(stream, file), 1):
            bare = line.rstrip("\r\n")
            if bare.strip(BLANKS):
                yield number, bare


def content(file: Path) -> str:
    """Return the text of a file. Raises BenchError where it is too long to be one of labels."""
    with opened(file) as stream:
        text = stream.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise BenchError(f"{file} has more than {MAX_BYTES:,} characters; divide it into several")
    return text

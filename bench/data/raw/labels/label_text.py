"""Reading of label files as text, and the choice of files that may be lists of labels."""

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
"""Characters that are removed at both ends of a text; a no-break space may be part of it."""
_NOT_LABELS = (
    "readme",
    "license",
    "licence",
    "lexicon",
    "requirements",
    "alphabet",
    "charset",
    "vocab",
)


def list_files(data: DataFolder, suffixes: Sequence[str]) -> list[Path]:
    """Return the files of a folder that may be lists of labels, by name.

    Labels of single images (`x.txt` or `x.gt.txt` beside `x.png`) and files such as a README are
    left out.
    """
    candidates = [
        file
        for file in data.files
        if file.name.lower().endswith(tuple(suffixes))
        and not file.name.lower().startswith(_NOT_LABELS)
    ]
    folders = {file.parent for file in candidates}
    stems = {folder: {*map(_stem, data.images_in(folder))} for folder in folders}
    return [file for file in candidates if _stem(file.name) not in stems[file.parent]]


def _stem(name: str) -> str:
    """Return a name up to its first dot, which is the same for both files of a pair."""
    return name.partition(".")[0]


@contextmanager
def open_labels(file: Path) -> Iterator[io.TextIOWrapper]:
    """Open a file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    A line ends with a line feed, a carriage return or both. Invalid bytes become surrogates, see
    `image_tree.is_text`.

    Raises:
        BenchError: The file cannot be read.
    """
    try:
        with open_text(file, MARKED) as stream:
            yield stream
    except OSError as error:
        raise BenchError(
            f"{file} cannot be read ({error.strerror}); check its permissions and the disk"
        ) from None


def bounded_lines(stream: io.TextIOWrapper, file: Path) -> Iterator[str]:
    """Yield the lines of a file with their line ends. Raises BenchError if one is too long."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise BenchError(
                f"{file}:{number}: the line has more than {MAX_LINE:,} characters, so this is "
                "not a list of labels; name another file"
            )
        yield line


def label_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that are not blank, with their numbers from 1.

    Raises:
        BenchError: The file cannot be read, or a line is too long for a label.
    """
    with open_labels(file) as stream:
        for number, line in enumerate(bounded_lines(stream, file), 1):
            bare = line.rstrip("\r\n")
            if bare.strip(BLANKS):
                yield number, bare


def label_content(file: Path) -> str:
    """Return the text of a file. Raises BenchError if it cannot be read, or is too long."""
    with open_labels(file) as stream:
        text = stream.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise BenchError(f"{file} has more than {MAX_BYTES:,} characters; divide it into several")
    return text

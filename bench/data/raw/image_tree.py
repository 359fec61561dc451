"""Where a raw data set lies under the folder that was named, and what is read in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from bench.core.errors import BenchError
from bench.core.regular_files import read_regular
from bench.core.text_encodings import open_lines
from bench.data.raw.entries import SampleError

IMAGE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in "bmp gif jpeg jpg jp2 pbm pgm png pnm ppm tif tiff webp".split()  # noqa: SIM905
)
"""Endings of image files, in lower case."""
_ABOVE = 3
"""How far above the folder that was named a root is looked for."""
_MAX_LINE = 2**20
"""Characters of a line of a list."""
MAC_FOLDER = "__MACOSX"
"""What macOS puts into an archive beside the data; like `.DS_Store`, it holds none of them."""


def root(source: Path, holds: Callable[[Path], object], below: Sequence[str] = ()) -> Path | None:
    """Return the nearest folder that `holds` what a raw data set does, without links, or None.

    Looked at are `source`, the one folder that it may only consist of, what lies above, and the
    folders `below` of each: a person may name the release or one of its parts. Raises BenchError
    where `source` is no folder.
    """
    try:
        if source.is_dir():
            found = next(filter(holds, _candidates(source.resolve(), below)), None)
            return found and found.resolve()
    except OSError as error:
        raise BenchError(
            f"{error.filename or source} cannot be read ({error.strerror}); look at its permissions"
        ) from None
    raise BenchError(f"{source} is no folder; name the one that holds the unpacked dataset")


def _candidates(source: Path, below: Sequence[str]) -> Iterator[Path]:
    for folder in (*_only_folders(source), *islice(source.parents, _ABOVE)):
        yield folder
        yield from (folder / name for name in below)


def _only_folders(folder: Path) -> Iterator[Path]:
    """Yield `folder`, and further down as long as there is but one folder in it, and no file."""
    yield folder
    shown = (
        child
        for child in folder.iterdir()
        if not child.name.startswith(".") and child.name != MAC_FOLDER
    )
    match list(islice(shown, 2)):
        case [only] if only.is_dir() and not only.is_symlink():
            yield from _only_folders(only)


def is_inside(name: str) -> bool:
    """Return whether `name` is a relative path that never leaves its folder, as it is written."""
    path = PurePosixPath(name)
    unsafe = "\\" in name or "\0" in name or path.is_absolute() or ".." in path.parts
    return bool(path.parts) and not unsafe


def natural_order(name: str) -> list[tuple[str, int]]:
    """Return what to sort names by, so that frame 10 comes after frame 9."""
    parts = re.findall("([^0-9]*)([0-9]*)", name)
    # The name itself puts frame 1 and frame 01 in one order on every disk.
    return [*((word, int(digits or 0)) for word, digits in parts), (name, 0)]


def lines(file: Path) -> Iterator[str]:
    """Yield the lines of a list, bare of white space at their ends; see `whole_lines`."""
    return map(str.rstrip, whole_lines(file))


def whole_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file of UTF-8, or of UTF-16.

    Only a line feed ends a line, for a line may be known by its number; in a file that has none,
    a carriage return does. Bytes that are not text become surrogates, see `is_text`. Raises
    BenchError where the file cannot be read.
    """
    try:
        with open_lines(file) as stream:
            for line in iter(partial(stream.readline, _MAX_LINE + 1), ""):
                if len(line) > _MAX_LINE:
                    raise BenchError(
                        f"{file} has a line of more than {_MAX_LINE:,} characters, so that it is "
                        "not a list; take the file from the raw data set again"
                    )
                yield line
    except OSError as error:
        raise BenchError(
            f"{file} cannot be read ({error.strerror}); look at its permissions and its disk"
        ) from None


def is_text(line: str) -> bool:
    """Return whether a line of `lines` was text in its encoding."""
    return line.isascii() or not any("\ud800" <= character <= "\udfff" for character in line)


def read(folder: Path, name: str) -> bytes:
    """Return what the file `name` in `folder`, a path without links, holds.

    Raises SampleError where it is missing, empty, no plain file, or a link out of `folder`.
    """
    try:
        file = (folder / name).resolve(strict=True)
        if not file.is_relative_to(folder):
            raise SampleError("a file outside the data set's folder")
        if not file.is_file():
            raise SampleError("no plain file")
        content = read_regular(file)
    except FileNotFoundError:
        raise SampleError("a file that is missing") from None
    # Links in a circle are a RuntimeError before Python 3.13, a NUL in a name is a ValueError.
    except (OSError, RuntimeError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise SampleError(f"a file that cannot be read ({cause})") from None
    if not content:
        raise SampleError("an empty file")
    return content


def image(folder: Path, name: str) -> tuple[bytes]:
    """Return the one image of a sample; see `read`."""
    return (read(folder, name),)

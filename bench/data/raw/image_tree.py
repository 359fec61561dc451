"""Finding the root of a raw data set, and reading its files safely."""

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
"""Suffixes of image files, in lower case."""
_MAX_LEVELS_UP = 3
"""The number of levels above the named folder that are searched for a root."""
_MAX_LINE = 2**20
"""The largest number of characters per line of a list."""
MAC_FOLDER = "__MACOSX"
"""The folder of metadata that macOS adds to archives."""


def find_root(
    source: Path, is_root: Callable[[Path], object], below: Sequence[str] = ()
) -> Path | None:
    """Return the root folder of a raw data set near `source`, resolved, or None.

    The search covers `source`, its only child (repeatedly), up to three folders above it, and the
    folders `below` of each of them, because a user may name the release or one of its parts.

    Args:
        source: The folder that was named.
        is_root: Whether a folder is the root of the data set.
        below: Paths in a release at which the root may be.

    Raises:
        BenchError: `source` is not a folder, or cannot be read.
    """
    try:
        if source.is_dir():
            root = next(filter(is_root, _candidates(source.resolve(), below)), None)
            return root and root.resolve()
    except OSError as error:
        raise BenchError(
            f"{error.filename or source} cannot be read ({error.strerror}); check its permissions"
        ) from None
    raise BenchError(f"{source} is not a folder; name the folder of the unpacked data set")


def _candidates(source: Path, below: Sequence[str]) -> Iterator[Path]:
    for folder in (*_only_children(source), *islice(source.parents, _MAX_LEVELS_UP)):
        yield folder
        yield from (folder / name for name in below)


def _only_children(folder: Path) -> Iterator[Path]:
    """Yield `folder`, its only child if that is a folder, and so on."""
    yield folder
    children = (
        child
        for child in folder.iterdir()
        if not child.name.startswith(".") and child.name != MAC_FOLDER
    )
    match list(islice(children, 2)):
        case [only] if only.is_dir() and not only.is_symlink():
            yield from _only_children(only)


def is_inside(name: str) -> bool:
    """Return whether `name` is a relative path without `..`, backslash or NUL."""
    path = PurePosixPath(name)
    unsafe = "\\" in name or "\0" in name or path.is_absolute() or ".." in path.parts
    return bool(path.parts) and not unsafe


def natural_order(name: str) -> list[tuple[str, int]]:
    """Return a sort key by which frame 10 comes after frame 9."""
    parts = re.findall("([^0-9]*)([0-9]*)", name)
    # The name itself breaks the tie between frame 1 and frame 01.
    return [*((word, int(digits or 0)) for word, digits in parts), (name, 0)]


def read_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a list without trailing white space; see `read_whole_lines`."""
    return map(str.rstrip, read_whole_lines(file))


def read_whole_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file in UTF-8 or UTF-16.

    Only a line feed ends a line, because ids may use line numbers; in a file without line feeds, a
    carriage return does. Bytes that are not text become surrogates, see `is_text`.

    Raises:
        BenchError: The file cannot be read, or has a line of more than 2²⁰ characters.
    """
    try:
        with open_lines(file) as stream:
            for line in iter(partial(stream.readline, _MAX_LINE + 1), ""):
                if len(line) > _MAX_LINE:
                    raise BenchError(
                        f"{file} has a line of more than {_MAX_LINE:,} characters, so it is not "
                        "a list; copy the file from the raw data set again"
                    )
                yield line
    except OSError as error:
        raise BenchError(
            f"{file} cannot be read ({error.strerror}); check its permissions and the disk"
        ) from None


def is_text(line: str) -> bool:
    """Return whether a line of `read_lines` was valid in its encoding."""
    return line.isascii() or not any("\ud800" <= character <= "\udfff" for character in line)


def read_file(folder: Path, name: str) -> bytes:
    """Return the content of the file `name` in `folder`, which has to be a resolved path.

    Raises:
        SampleError: The file is missing, empty, not a regular file, or a link out of `folder`.
    """
    try:
        file = (folder / name).resolve(strict=True)
        if not file.is_relative_to(folder):
            raise SampleError("a file outside the data set's folder")
        if not file.is_file():
            raise SampleError("not a regular file")
        content = read_regular(file)
    except FileNotFoundError:
        raise SampleError("a file that is missing") from None
    # Circular links are a RuntimeError before Python 3.13, a NUL in a name is a ValueError.
    except (OSError, RuntimeError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise SampleError(f"a file that cannot be read ({cause})") from None
    if not content:
        raise SampleError("an empty file")
    return content


def read_encoded_image(folder: Path, name: str) -> tuple[bytes]:
    """Return the content of an image file as the one image of a sample; see `read_file`."""
    return (read_file(folder, name),)

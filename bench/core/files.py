"""Parameters of components that are files, identified by content and not by path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, get_args, get_type_hints

from bench.core.errors import BenchError
from bench.core.local_paths import local_path
from bench.core.text_encodings import MAX_LINE, NotTextError, read_lines


class FileContent:
    """Marks a parameter that is the path of a file and stands for the content of that file."""


InputFile = Annotated[str, FileContent()]
"""The path of a file, absolute or relative to the working directory; or a file of an installed
package, as `package:DISTRIBUTION/path/inside`. Declare such a parameter as `words: InputFile`, or
as `words: InputFile | None = None` where the file is optional."""

PACKAGE = "package:"
"""The prefix of a file in an installed package."""


@cache
def file_parameters(component: type) -> tuple[str, ...]:
    """Return the names of the parameters of a component that are declared as `InputFile`."""
    hints = get_type_hints(component, include_extras=True)
    return tuple(field.name for field in fields(component) if _is_marked(hints[field.name]))


def located_file(path: str, home: Path) -> str:
    """Return `path` resolved from the folder `home`; a file of a package stays as it is."""
    return path if path.startswith(PACKAGE) else str(home / local_path(path))


def lines_of_file(path: str, parameter: str, longest: int = MAX_LINE) -> Iterator[str]:
    """Yield the lines of a file of text, as `bench.core.text_encodings.read_lines` does.

    Args:
        path: The file, as for `existing_file`.
        parameter: The parameter that names it, for messages.
        longest: The number of characters that a line may have at most.

    Raises:
        BenchError: There is no such file, it cannot be read, or a line is too long or not text; the
            message has the line.
    """
    file = existing_file(path, parameter)
    try:
        yield from read_lines(file, longest)
    except NotTextError as error:
        raise BenchError(f"line {error.line} of '{file}' of {parameter}: {error}") from None
    except OSError as error:
        raise _unreadable(path, parameter, error) from None


def existing_file(path: str, parameter: str) -> Path:
    """Return `path` as a file. Raises BenchError, naming the parameter, where there is none.

    `package:DISTRIBUTION/path/inside` is a file that the distribution DISTRIBUTION has installed,
    at the path that its list of files states.
    """
    if path.startswith(PACKAGE):
        return _package_file(path, parameter)
    file = local_path(path)
    if not file.is_file():
        fault = "is a folder" if file.is_dir() else "does not exist"
        fault = "is not a regular file" if file.exists() and not file.is_dir() else fault
        raise BenchError(f"the file '{path}' of {parameter} {fault}; give the path of a file")
    return file


def _package_file(path: str, parameter: str) -> Path:
    """Return a file of an installed distribution, which has to be in its list of files."""
    distribution, _, inside = path.removeprefix(PACKAGE).partition("/")
    if not distribution or not inside:
        raise BenchError(
            f"the file '{path}' of {parameter} is not a file of a package; write "
            f"{PACKAGE}DISTRIBUTION/path/inside"
        )
    try:
        listed = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        raise BenchError(
            f"the file '{path}' of {parameter} belongs to the package '{distribution}', which is "
            f"not installed; install it with: pip install '{distribution}'"
        ) from None
    inside_path = PurePosixPath(inside)
    for each in listed:
        if PurePosixPath(each) == inside_path and ".." not in each.parts:
            file = Path(str(each.locate()))
            if file.is_file():
                return file
    version = metadata.version(distribution)
    raise BenchError(
        f"the file '{path}' of {parameter} does not exist: version {version} of "
        f"'{distribution}' has no file '{inside}'; give the path of one as `pip show -f "
        f"{distribution}` lists it"
    )


def file_digest(path: str, parameter: str) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits.

    Raises:
        BenchError: There is no such file, or it cannot be read.
    """
    file = existing_file(path, parameter)
    try:
        status = file.stat()
        return _digest(file, status.st_ino, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise _unreadable(path, parameter, error) from None


def _unreadable(path: str, parameter: str, error: OSError) -> BenchError:
    return BenchError(
        f"the file '{path}' of {parameter} cannot be read ({error.strerror}); check its permissions"
    )


@lru_cache(maxsize=256)
def _digest(file: Path, inode: int, size: int, modified: int) -> str:  # noqa: ARG001
    """Return the SHA-256 of a file, cached until one of the other arguments changes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _is_marked(annotation: Any) -> bool:  # noqa: ANN401
    marks = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, FileContent) for mark in marks) or any(
        _is_marked(argument) for argument in get_args(annotation)
    )

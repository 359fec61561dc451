"""Parameters of components that name files: they are identified by content, not by path."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from bench.core.errors import BenchError


class FileContent:
    """Marks a parameter that is the path of a file and stands for the content of that file."""


InputFile = Annotated[str, FileContent()]
"""The path of a file, absolute or relative to the working directory. Declare such a parameter as
`words: InputFile`, or as `words: InputFile | None = None` where the file is optional."""


@cache
def file_parameters(component: type) -> tuple[str, ...]:
    """Return the names of the parameters of a component that are declared as `InputFile`."""
    hints = get_type_hints(component, include_extras=True)
    return tuple(field.name for field in fields(component) if _is_marked(hints[field.name]))


def existing_file(path: str, parameter: str) -> Path:
    """Return `path` as a file. Raises BenchError, naming the parameter, where there is none."""
    file = Path(path).expanduser()
    if not file.is_file():
        fault = "is a folder" if file.is_dir() else "does not exist"
        raise BenchError(f"the file '{path}' of {parameter} {fault}; give the path of a file")
    return file


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
        raise BenchError(
            f"the file '{path}' of {parameter} cannot be read ({error.strerror}); "
            "check its permissions"
        ) from None


@lru_cache(maxsize=256)
def _digest(file: Path, inode: int, size: int, modified: int) -> str:  # noqa: ARG001
    """Hash a file, again only when one of the other arguments says that it has changed."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _is_marked(annotation: Any) -> bool:  # noqa: ANN401
    marks = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, FileContent) for mark in marks) or any(
        _is_marked(argument) for argument in get_args(annotation)
    )

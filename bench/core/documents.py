"""Atomically written files, and JSON documents with a schema version."""

from __future__ import annotations

import errno
import hashlib
import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.core.errors import BenchError, Exit
from bench.core.names import with_article
from bench.core.regular_files import read_regular

T = TypeVar("T")
MAX_DOCUMENT = 2**26
"""Bytes of a JSON document that is read; documents of bench are far smaller."""
_STALE_SECONDS = 3600


def encode(content: object) -> bytes:
    """Return `content` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def read(
    file: Path,
    kind: type[T],
    schema: int,
    *,
    noun: str,
    remedy: str,
    check: Callable[[T], object] | None = None,
) -> T:
    """Read a JSON document of the type `kind` and the version `schema` from a file.

    Args:
        file: The file.
        kind: The type of the document.
        schema: The required value of the key `schema`.
        noun: What errors call the document.
        remedy: What to do where it is invalid: the end of the error's sentence.
        check: Raises ValueError on a document of this type whose values are inconsistent.

    Raises:
        BenchError: (unverified) The file has no such document, or cannot be read.
    """
    try:
        content = read_regular(file, MAX_DOCUMENT)
    except OSError as error:
        fault = f"{file}: {with_article(noun)} cannot be read from it ({error.strerror}); {remedy}"
        raise BenchError(fault, Exit.UNVERIFIED) from None
    return parse(content, kind, schema, source=str(file), noun=noun, remedy=remedy, check=check)


def parse(
    content: bytes,
    kind: type[T],
    schema: int,
    *,
    source: str,
    noun: str,
    remedy: str,
    check: Callable[[T], object] | None = None,
) -> T:
    """Parse a JSON document as `read` does; errors begin with its `source`."""
    try:
        schema_read = msgspec.json.decode(content)["schema"]
        if schema_read != schema:
            raise BenchError(
                f"{source}: its schema is {str(schema_read)[:20]}, this bench reads {schema}; "
                f"update bench, or {remedy}",
                Exit.UNVERIFIED,
            )
        document = msgspec.json.decode(content, type=kind)
        if check:
            check(document)
    # Invalid UTF-8 in a string and deep nesting raise other errors than DecodeError.
    except (msgspec.DecodeError, ValueError, RecursionError, KeyError, TypeError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else error
        fault = f"{source}: this is not {with_article(noun)} of bench ({reason}); {remedy}"
        raise BenchError(fault, Exit.UNVERIFIED) from None
    return document


def with_texts(document: T, change: Callable[[str], str]) -> T:
    """Return a document (a dataclass of JSON values) with a function applied to all texts."""
    return msgspec.convert(changed_texts(msgspec.to_builtins(document), change), type(document))


def changed_texts(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 (JSON)
    """Return a JSON value with a function applied to all texts, including keys of objects."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): changed_texts(each, change) for name, each in value.items()}
    return [changed_texts(each, change) for each in value] if isinstance(value, list) else value


def write_bytes(file: Path, content: bytes) -> str:
    """Write `file` atomically and durably; return the SHA-256 of its content.

    Raises:
        OSError: It cannot be written; no partial file is left, and `filename` is `file`.
    """
    write_files(file.parent, {file.name: content})
    return hashlib.sha256(content).hexdigest()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, each atomically and durably, or none of them.

    Args:
        folder: An existing folder.
        contents: The content of each file by its path in the folder; missing folders are made.

    Raises:
        OSError: One cannot be written; no partial file is left, and `filename` is that file.
    """
    for name in contents:
        if (folder / name).is_dir():
            # Checked first, because it would otherwise fail after other files were replaced.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
    parts: dict[Path, Path] = {}
    file = folder
    try:
        for name, content in contents.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            parts[file] = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
            with parts[file].open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for file, part in parts.items():
            part.replace(file)
        for each in {folder, *(file.parent for file in parts)}:
            _sync(each)
    except BaseException as error:
        _discard(parts.values(), folder)
        if isinstance(error, OSError) and error.errno is not None:
            # The error of a full disk has no file name, others name the part.
            raise OSError(error.errno, error.strerror, str(file)) from None
        raise
    for each in {file.parent for file in parts}:
        _remove_parts_once(each)


def _discard(parts: Collection[Path], folder: Path) -> None:
    """Remove partial files, and the folders in `folder` that were made for them."""
    for part in parts:
        with suppress(OSError):
            part.unlink()
    for each in {part.parent for part in parts} - {folder}:
        # Only folders that were just made are empty.
        with suppress(OSError):
            each.rmdir()


def _sync(folder: Path) -> None:
    """Make renames in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@lru_cache(1024)
def _remove_parts_once(folder: Path) -> None:
    """Remove stale partial files at the first write of this process into a folder.

    Once, because listing a folder of ten thousand files takes as long as writing thirty files.
    """
    remove_parts(folder)


def remove_parts(folder: Path, name: str = "*", older_than: float = _STALE_SECONDS) -> None:
    """Remove partial files that killed processes have left in a folder.

    Args:
        folder: The folder.
        name: The name of the files, as a glob.
        older_than: Age in seconds; another process may still write younger files.
    """
    for part in folder.glob(f".{name}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime >= older_than:
                part.unlink()

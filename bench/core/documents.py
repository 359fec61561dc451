"""Files that are whole or not there, and JSON documents that name their schema."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.core.errors import BenchError, Exit
from bench.core.regular_files import read_regular

T = TypeVar("T")


def encode(content: object) -> bytes:
    """Return `content` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def read(file: Path, kind: type[T], schema: int, *, noun: str, remedy: str) -> T:
    """Read a `kind` from the JSON in `file`, whose key `schema` has to be `schema`.

    Raises BenchError (unverified) where it is none, in a sentence that calls it a `noun` and ends
    with what to do, `remedy`; and OSError where there is no file to read.
    """
    return parse(read_regular(file), kind, schema, source=str(file), noun=noun, remedy=remedy)


def parse(content: bytes, kind: type[T], schema: int, *, source: str, noun: str, remedy: str) -> T:
    """Return what `read` does, of JSON that is at hand; errors begin with its `source`."""
    try:
        found = msgspec.json.decode(content)["schema"]
        if found != schema:
            raise BenchError(
                f"{source}: its schema is {found}, this bench reads {schema}; "
                f"update bench, or {remedy}",
                Exit.UNVERIFIED,
            )
        return msgspec.json.decode(content, type=kind)
    # A byte that is no UTF-8 within a string is no DecodeError to msgspec, nor is deep nesting.
    except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError, TypeError) as error:
        article = "an" if noun[0] in "aeiou" else "a"
        fault = f"{source}: this is not {article} {noun} of bench ({error}); {remedy}"
        raise BenchError(fault, Exit.UNVERIFIED) from None


def write_bytes(file: Path, content: bytes) -> str:
    """Write `file` atomically and durably; return the SHA-256 of its content."""
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    with part.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return hashlib.sha256(content).hexdigest()

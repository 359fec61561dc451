"""TOML files, and other files that are in their place."""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.regular_files import read_regular
from bench.core.text_encodings import encoding_of

_MAX_BYTES = 2**24
_MARK = codecs.BOM_UTF8


def read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a file, without a byte order mark, and its document.

    The text has its own line endings, which stay when something is written into it.

    Raises:
        BenchError: It cannot be read, or is not TOML; the message says why.
    """
    try:
        content = read_regular(file, _MAX_BYTES)
    except OSError as error:
        raise BenchError(f"{file} cannot be read ({error.strerror}); name a TOML file") from None
    if encoding_of(content[:2]) == "utf-16" or b"\0" in content[:2]:
        raise BenchError(f"{file} is UTF-16, and TOML is UTF-8; save the file as UTF-8")
    try:
        text = content.removeprefix(_MARK).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BenchError(
            f"{file}:{line}: this line is not UTF-8, as TOML is; save the file as UTF-8"
        ) from None
    if "\r" in text and "\n" not in text:
        raise BenchError(
            f"{file}: its lines end with carriage returns alone, and those of TOML with line "
            "feeds; save the file with line feeds"
        )
    try:
        return text, tomllib.loads(text)
    # Thousands of digits are a plain ValueError, thousands of brackets a RecursionError.
    except (ValueError, RecursionError) as error:
        raise BenchError(f"{file}: this is not TOML: {error}") from None


def encoded(text: str, file: Path) -> bytes:
    """Return `text` to be written over a TOML file, with a byte order mark if that has one."""
    with file.open("rb") as stream:
        marked = stream.read(len(_MARK)) == _MARK
    return (_MARK if marked else b"") + text.encode()

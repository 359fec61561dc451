"""Text as other systems write it: UTF-8 with or without a byte order mark, or UTF-16 with one."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from bench.core.regular_files import open_regular

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(beginning: bytes) -> str:
    """Return the encoding of a text by its first bytes, of which two are enough."""
    return "utf-16" if beginning.startswith(_UTF_16) else "utf-8-sig"


def decode(content: bytes) -> str:
    """Return a text without its byte order mark. Raises UnicodeDecodeError."""
    return content.decode(encoding_of(content[:2]))


def open_text(file: Path | str, errors: str = "strict", newline: str = "") -> io.TextIOWrapper:
    """Open a regular file of text for reading, without its byte order mark.

    Args:
        file: The file.
        errors: What becomes of bytes that do not belong to the encoding, as for `open`.
        newline: What ends a line, as for `open`.

    Raises:
        OSError: As of `open_regular`.
    """
    stream = open_regular(file)
    encoding = encoding_of(stream.read(2))
    stream.seek(0)
    return io.TextIOWrapper(stream, encoding, errors=errors, newline=newline)

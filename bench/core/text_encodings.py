"""Text as other systems write it: UTF-8 with or without a byte order mark, or UTF-16 with one."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from bench.core.regular_files import MAX_BYTES, open_regular, read_regular

MAX_LINE = 2**24
"""Characters of a line; a longer one is no line of text."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BEGINNING = 2**16
"""Bytes of a file that show what ends its lines."""
MARKED, _NOT_TEXT = "bench.marked", "\udcff"
"""How `open_text` reads what is not text as a surrogate in its place, so that its line is known."""
_GZIP = f"\x1f{_NOT_TEXT}"
# Python's own "surrogateescape" raises on half a character of UTF-16.
codecs.register_error(MARKED, lambda error: (_NOT_TEXT, cast("UnicodeDecodeError", error).end))


class NotTextError(ValueError):
    """A file, or a line of it, that is not text.

    Attributes:
        line: The number of the line, from 1.
    """

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(fault)
        self.line = line


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
        errors: What becomes of bytes that are not of the encoding: `MARKED`, or as for `open`.
        newline: What ends a line, as for `open`.

    Raises:
        OSError: As of `open_regular`.
    """
    stream = open_regular(file)
    encoding = encoding_of(stream.read(2))
    stream.seek(0)
    return io.TextIOWrapper(stream, encoding, errors=errors, newline=newline)


def open_lines(file: Path | str) -> io.TextIOWrapper:
    """Open a regular file of text for reading line by line, see `read_lines` and `MARKED`.

    Raises:
        OSError: As of `open_regular`.
    """
    stream = open_text(file, MARKED, "\n")
    beginning = stream.read(_BEGINNING)
    stream.seek(0)
    if "\r" in beginning and "\n" not in beginning:
        stream.reconfigure(newline="\r")
    return stream


def read_lines(file: Path | str, longest: int = MAX_LINE) -> Iterator[str]:
    """Yield the lines of a regular file of text, without their ends.

    A line ends with a line feed, and a carriage return before it belongs to the end. Where there is
    no line feed, carriage returns end lines, as on old systems.

    Args:
        file: The file.
        longest: The number of characters that a line may have at most.

    Raises:
        OSError: As of `open_regular`.
        NotTextError: A line is too long, or not text.
    """
    with open_lines(file) as stream:
        number = 0
        while line := stream.readline(longest + 2):
            number += 1
            bare = line.removesuffix("\n").removesuffix("\r")
            if len(bare) > longest:
                raise NotTextError(number, f"it has more than {longest:,} characters")
            _require_text(bare, number)
            yield bare


def read_text(file: Path | str, longest: int = MAX_BYTES) -> str:
    """Return a regular file of text, with its own ends of lines.

    Args:
        file: The file.
        longest: The number of bytes that it may have at most.

    Raises:
        OSError: As of `read_regular`.
        NotTextError: A line is not text.
    """
    content = read_regular(file, longest)
    text = content.decode(encoding_of(content[:2]), MARKED)
    _require_text(text, text.count("\n", 0, max(0, text.find(_NOT_TEXT))) + 1)
    return text


def _require_text(text: str, number: int) -> None:
    if number == 1 and text.startswith(_GZIP):
        raise NotTextError(number, "the file is packed by gzip; unpack it with gunzip")
    # The first letter of a text is one of ASCII, or what follows is hardly ever UTF-8.
    if number == 1 and "\0" in text[:2]:
        raise NotTextError(
            number,
            "the file begins as UTF-16 without a byte order mark; save it as UTF-8",
        )
    if _NOT_TEXT in text:
        raise NotTextError(
            number,
            "it is neither UTF-8 nor UTF-16 with a byte order mark; save the file as UTF-8",
        )

"""Text of files, programs and other packages, made fit for a terminal and a line of a log."""

from __future__ import annotations

_MAX_SHOWN = 120


def printable(text: str, keep: str = "") -> str:
    """Return `text` with an escape sequence for each character that does not print.

    Args:
        text: The text.
        keep: Characters that stay as they are, such as ends of lines.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else repr(letter)[1:-1] for letter in text
    )


def shortened(text: str, longest: int = _MAX_SHOWN) -> str:
    """Return `text` printable, and cut after `longest` characters."""
    return printable(text if len(text) <= longest else f"{text[:longest]}…")


def quoted(text: str, longest: int = _MAX_SHOWN) -> str:
    """Return `text` in quotes, printable, and cut after `longest` characters."""
    return f"'{shortened(text, longest)}'"

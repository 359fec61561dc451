"""Columns that text takes on a terminal, and lines of at most so many of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, east_asian_width

_WORDS = re.compile("( *)([^ ]+)")
_JOINED = re.compile("(?<=±) | (?=[%±])")
"""Spaces at which no line ends: a number stays with its sign, and with what it varies by."""
_NO_BREAK = "\u00a0"
_JAMO = range(0x1160, 0x1200)
"""Vowels and finals of Hangul, which are drawn into the syllable before them."""


def text_width(text: str) -> int:
    """Return how many columns `text` takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_letter_width, text))


def wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    """Return `text` in lines that end between words.

    A word that is longer than a line is kept whole, on a line of its own.

    Args:
        text: The text, in one line.
        width: How many columns a line has; None for a single line.
        indent: What lines after the first begin with.
    """
    if width is None or text_width(text) <= width:
        return [text]
    lines, line = [], ""
    for space, word in _words(_JOINED.sub(_NO_BREAK, text)):
        joined = f"{line}{space}{word}"
        if not line or text_width(joined) <= width:
            line = joined
            continue
        lines.append(line)
        line = word if text_width(indent) + text_width(word) > width else f"{indent}{word}"
    return [each.rstrip(" ").replace(_NO_BREAK, " ") for each in [*lines, line]]


def longest_word(text: str) -> int:
    """Return the columns of the longest part of `text` that lines are not broken within."""
    words = (word for _, word in _words(_JOINED.sub(_NO_BREAK, text)))
    return max(map(text_width, words), default=0)


def middle_shortened(word: str, width: int) -> str:
    """Return a word with `…` in place of its middle where it takes more than `width` columns."""
    if text_width(word) <= width:
        return word
    head, tail = word, word
    while text_width(head) > width // 2:
        head = head[:-1]
    while text_width(tail) > width - width // 2 - 1 or (tail and not _letter_width(tail[0])):
        tail = tail[1:]
    return f"{head}…{tail}"


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word with the spaces before it; ideographs are words of their own."""
    for space, word in _WORDS.findall(text):
        if word.isascii():
            yield space, word
            continue
        before, part = space, ""
        for letter in word:
            breaks = east_asian_width(letter) in "WF" or (part and text_width(part[-1:]) > 1)
            if part and breaks and _letter_width(letter):
                yield before, part
                before, part = "", ""
            part += letter
        yield before, part


def _letter_width(letter: str) -> int:
    if category(letter) in {"Mn", "Me", "Cf"} or ord(letter) in _JAMO:
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1

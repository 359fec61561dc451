"""SVG elements as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from unicodedata import combining, east_asian_width

from bench.core.printable import printable

FONT_SIZE = 12.0
_NARROW = frozenset("iljtfrI.,:;|!'`()[]{}/\\ ·-")
_WIDE = frozenset("mwMWQO@%&—…ÆŒ")


def element(name: str, *children: str, text: str | None = None, **attributes: object) -> str:
    """Return an element; `_` in names of attributes stands for `-`, None leaves one out.

    `text` is escaped, `children` are elements already.
    """
    listed = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children) + ("" if text is None else escaped(text))
    return f"<{name}{listed}>{inner}</{name}>" if inner else f"<{name}{listed}/>"


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def points(coordinates: Iterable[tuple[float, float]]) -> str:
    """Return the points of a line."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in coordinates)


def escaped(text: str) -> str:
    """Return text that is no markup, without control characters."""
    return escape(printable(text))


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return at least the width of a text in a sans-serif font, whichever it is.

    The widths are those of the widest of the usual fonts (DejaVu Sans, Verdana), rounded up.
    """
    return size * sum(map(_em, text))


def fitted(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Return a text shortened to `width`, with an ellipsis where something was left out."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}…", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def text_lines(text: str, width: float, most: int) -> list[str]:
    """Return a text in at most so many lines of a width, broken at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(lines) < most and lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitted(each, width) for each in lines]


def _em(character: str) -> float:
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.1
    if character in _NARROW:
        return 0.42
    if character in _WIDE:
        return 1.05
    return 0.72 if character.isupper() else 0.66


def _attribute(value: object) -> str:
    return number(value) if isinstance(value, float) else escaped(str(value))

"""SVG elements as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from unicodedata import combining, east_asian_width

from bench.core.printable import printable

FONT_SIZE = 12.0
_NARROW = frozenset("iljtfrI.,:;|!'`()[]{}/\\ ·-")
_WIDE = frozenset("mwMWQO@%&—…ÆŒ")


def svg_element(name: str, *children: str, text: str | None = None, **attributes: object) -> str:
    """Return an SVG element.

    Args:
        name: The name of the element.
        children: Child elements, as SVG.
        text: Text content, which is escaped.
        attributes: Attributes; `_` in a name becomes `-`, and those that are None are left out.
    """
    attribute_text = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children) + ("" if text is None else escape_text(text))
    return f"<{name}{attribute_text}>{inner}</{name}>" if inner else f"<{name}{attribute_text}/>"


def svg_number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def svg_points(coordinates: Iterable[tuple[float, float]]) -> str:
    """Return the value of the attribute `points` of a line or polygon."""
    return " ".join(f"{svg_number(x)},{svg_number(y)}" for x, y in coordinates)


def escape_text(text: str) -> str:
    """Return text without control characters, escaped for XML."""
    return escape(printable(text))


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return an upper estimate of the width of a text in any common sans-serif font.

    The widths are those of the widest common fonts (DejaVu Sans, Verdana), rounded up.
    """
    return size * sum(map(_em, text))


def fit_text(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Return a text shortened to `width`, with an ellipsis at the end if it was shortened."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}…", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrap_text(text: str, width: float, max_lines: int) -> list[str]:
    """Return a text in at most `max_lines` lines of a width, broken at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(lines) < max_lines and lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fit_text(each, width) for each in lines]


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
    return svg_number(value) if isinstance(value, float) else escape_text(str(value))

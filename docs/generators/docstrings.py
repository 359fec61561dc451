"""Docstrings in Google's style, as a text and its sections."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import NamedTuple

SECTION = re.compile(
    r"^(Args|Attributes|Raises|Returns|Yields|Source|Example):(?:\n| (?=\S))", re.MULTILINE
)


class Docstring(NamedTuple):
    """A docstring: the text above its sections, and the text of each section."""

    text: str
    sections: dict[str, str]


def docstring(thing: object) -> Docstring:
    """Return the docstring of a class or module."""
    text, *rest = SECTION.split(cleandoc(thing.__doc__ or ""))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    return Docstring(text.strip(), sections)

"""Docstrings in Google's style, as a text and its sections."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import NamedTuple

SECTION = re.compile(
    r"^(Args|Attributes|Raises|Returns|Yields|Source|Example):(?:\n| (?=\S))", re.MULTILINE
)
ITEM = re.compile(r"^ {4}(\w+): ?(.*(?:\n(?: {5,}.*|(?=\n)))*)", re.MULTILINE)


class Docstring(NamedTuple):
    """A docstring: the text above its sections, and the text of each section."""

    text: str
    sections: dict[str, str]

    def items(self) -> dict[str, str]:
        """Return what is written of each parameter or attribute."""
        listed = self.sections.get("Args", "") + self.sections.get("Attributes", "")
        return {name: " ".join(text.split()) for name, text in ITEM.findall(listed)}


def docstring(thing: object) -> Docstring:
    """Return the docstring of a class or module."""
    text, *rest = SECTION.split(cleandoc(thing.__doc__ or ""))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    return Docstring(text.strip(), sections)

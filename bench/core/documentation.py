"""The pages of bench's documentation: Markdown files that a wheel carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath

from bench.core.errors import BenchError, nearest
from bench.core.package_data import package_data

SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How-to",
    "reference": "Reference",
    "explanation": "Explanation",
    "contributing": "Contributing",
}
"""The title of each section by its folder, in the order of reading."""
_HEAD = 2000
"""Characters that have the first sentence of a page: to parse whole pages takes half a second."""


@dataclass(frozen=True)
class Page:
    """One page of the documentation.

    Attributes:
        name: The stem of its file, which no other page has.
        section: The folder of its section.
        file: The Markdown file.
    """

    name: str
    section: str
    file: Path

    def text(self) -> str:
        """Return the Markdown of the page."""
        return self.file.read_text(encoding="utf-8")

    def first_sentence(self) -> str:
        """Return the first sentence of prose, without markup; empty if there is none."""
        from markdown_it import MarkdownIt

        tokens = MarkdownIt().enable("table").parse(self.text()[:_HEAD])
        for before, token in pairwise(tokens):
            if before.type == "paragraph_open" and before.level == 0:
                words = "".join(
                    " " if child.type == "softbreak" else child.content
                    for child in token.children or ()
                    if child.type in {"text", "code_inline", "softbreak"}
                )
                return _first_sentence(" ".join(words.split()))
        return ""


def pages() -> Iterator[Page]:
    """Yield all pages, section by section, sorted by name."""
    folder = package_data("docs")
    for section in SECTIONS:
        files = (folder / section).rglob("*.md")
        for file in sorted(files, key=lambda file: file.stem):
            yield Page(file.stem, section, file)


def find_page(name: str) -> Page:
    """Return the page of a name, which may have folders before it and `.md` after it.

    Raises:
        BenchError: There is no such page; the message has the nearest name.
    """
    by_name = {page.name: page for page in pages()}
    stem = PurePath(name).name.removesuffix(".md").lower()
    if stem not in by_name:
        near = nearest(stem, by_name)
        hint = f" (did you mean '{near}'?)" if near else ""
        raise BenchError(f"there is no page '{name}'{hint}; `bench docs` lists the pages")
    return by_name[stem]


def _first_sentence(text: str) -> str:
    """Return `text` up to the first full stop or question mark that ends a sentence."""
    end = re.search(r"[.?!](?= |$)", text)
    return text[: end.end()] if end else text

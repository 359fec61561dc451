"""Where in a TOML text something stands, which its parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*")


def line_of(text: str, section: str, *words: str) -> int:
    """Return the number of the line in `section` that has the last of `words`.

    Each word, a key, an assignment or a quoted value, is looked for from the line of the word
    before on; one that is not there is passed over. Without any, it is the section's header.
    """
    lines = [*_lines_of(text, section)]
    header = lines[0][0] if lines else 1
    found = header
    for word in words:
        as_key = re.compile(rf"(?<![\w.-]){re.escape(word)}\s*=")
        found = next(
            (
                number
                for number, line in lines
                if number >= found
                and (
                    as_key.search(re.sub(r"\".*?\"|'.*?'", "", line))
                    or re.search(rf"[\"']{re.escape(word)}[\"']", line)
                    or line.strip() == f"[{section}.{word}]"
                    or ("=" in word and word.replace(" ", "") in line.replace(" ", ""))
                )
            ),
            found,
        )
    return found


def last_line_of(text: str, section: str) -> int:
    """Return the number of the last line of `section` or a table in it that says a thing; or 0.

    Comments and blank lines behind it may be about the next section.
    """
    return max(
        (
            number
            for number, current, line in _walk(text)
            if line.strip() and f"{current}.".startswith(f"{section}.")
        ),
        default=0,
    )


def _lines_of(text: str, section: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a table without comments: its header, body, and sub-headers."""
    for number, current, line in _walk(text):
        inner = current.startswith(f"{section}.") and _HEADER.fullmatch(line)
        if current == section or inner:
            yield number, line


def _walk(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each line's number, its table, and the line without its comment."""
    current = ""
    # Not by splitlines(): what else it takes for the end of a line is none in TOML.
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.partition("#")[0]
        if header := _HEADER.fullmatch(bare):
            current = header[1].strip()
        yield number, current, bare

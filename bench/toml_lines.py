"""Where in a TOML text something stands, which its parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator


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
    """Return the number of the last line of `section`, its sub-tables included, that says a thing.

    Comments and blank lines behind it may be about the next section.
    """
    return max((number for number, line in _lines_of(text, section) if line.strip()), default=0)


def _lines_of(text: str, section: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a table without comments: its header, body, and sub-headers."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.partition("#")[0]
        header = re.fullmatch(r"\s*\[\[?([^\[\]]+)\]\]?\s*", bare)
        if header:
            current = header[1].strip()
        if current == section or (header and current.startswith(f"{section}.")):
            yield number, bare

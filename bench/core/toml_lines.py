"""Line numbers of keys and sections in a TOML text, which its parser does not report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*")


def line_of(text: str, section: str, *words: str) -> int:
    """Return the number of the line in `section` that has the last of `words`.

    Each word, a key, an assignment or a quoted value, is searched from the line of the word before;
    a missing word is skipped. Without words, it is the line of the section's header. Repeated
    sections `[[a.b]]` are called `a.b[0]`, `a.b[1]` and so on. A section without a header is
    searched as a key of the section around it.
    """
    lines = [*_lines_of(text, section)]
    if not lines:
        around, _, name = section.rpartition(".")
        return line_of(text, around, unnumbered(name), *words) if around else 1
    header, *_ = lines[0]
    best_line = header
    for word in words:
        as_key = re.compile(rf"(?<![\w.-]){re.escape(word)}\s*=")
        best_line = next(
            (
                number
                for number, current, line in lines
                if number >= best_line
                and (
                    as_key.search(re.sub(r"\".*?\"|'.*?'", "", line))
                    or re.search(rf"[\"']{re.escape(word)}[\"']", line)
                    or unnumbered(current) == f"{unnumbered(section)}.{word}"
                    or ("=" in word and word.replace(" ", "") in line.replace(" ", ""))
                )
            ),
            best_line,
        )
    return best_line


def unnumbered(section: str) -> str:
    """Return `section` as its header spells it: `a.b` of `a.b[1]`."""
    return re.sub(r"\[\d+\]", "", section)


def last_line_of(text: str, section: str) -> int:
    """Return the number of the last line of `section` or its subtables with content; 0 if none.

    Comments and blank lines after it may belong to the next section.
    """
    return max(
        (
            number
            for number, current, line in _walk(text)
            if line.strip() and f"{current}.".startswith(f"{section}.")
        ),
        default=0,
    )


def _lines_of(text: str, section: str) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of a table without comments: its header, body, and sub-headers."""
    for number, current, line in _walk(text):
        inner = current.startswith(f"{section}.") and _HEADER.fullmatch(line)
        if current == section or inner:
            yield number, current, line


def _walk(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each line's number, its table, and the line without its comment."""
    current, latest, counts = "", "", Counter[str]()
    # Not by splitlines(), which also splits at characters that do not end a line in TOML.
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.partition("#")[0]
        if header := _HEADER.fullmatch(bare):
            name = header[2].strip()
            if header[1] == "[[":
                latest, current = name, f"{name}[{counts[name]}]"
                counts[name] += 1
            elif latest and name.startswith(f"{latest}."):
                current = f"{latest}[{counts[latest] - 1}]{name.removeprefix(latest)}"
            else:
                current = name
        yield number, current, bare

"""Functions that make untrusted text safe for a terminal, a log and a page."""

from __future__ import annotations

import re

_MAX_SHOWN = 120
MAX_MESSAGE = 1000
"""Characters of a message in one line; a longer one is cut."""
_MARKUP = re.compile(r"[<`\\]|!(?=\[)|(?<=\])[(\[:]|:(?=//)|(?<=www)\.|@(?=\w)", re.IGNORECASE)
"""What makes text HTML, code, a link or an image in Markdown, or escapes what would."""
_CODE = re.compile(r"\\.|(`+)((?:\\.|[^`\\])*)\1")
"""An escaped character, or code."""
_TAG = re.compile("<(?=[A-Za-z/!?])")


def printable(text: str, keep: str = "") -> str:
    """Return `text` with an escape sequence for each character that does not print.

    Args:
        text: The text.
        keep: Characters that stay as they are, such as ends of lines.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in keep else repr(letter)[1:-1] for letter in text
    )


def printable_json(document: str) -> str:
    """Return JSON in which characters that do not print are escaped by their code points."""
    return "\n".join(
        line if line.isprintable() else "".join(map(_json_letter, line))
        for line in document.split("\n")
    )


def in_one_line(text: str, longest: int = MAX_MESSAGE) -> str:
    """Return `text` in one printable line of at most so many characters."""
    # Cut first: a message may have megabytes.
    return shortened(" ".join(text[: 2 * longest].split()), longest)


def shortened(text: str, longest: int = MAX_MESSAGE) -> str:
    """Return `text` printable, and cut after so many characters."""
    printable_text = printable(text[: longest + 1])
    return printable_text if len(printable_text) <= longest else f"{printable_text[:longest]}…"


def first_line(text: str, longest: int = MAX_MESSAGE) -> str:
    """Return the first line of `text` that is not blank, as `in_one_line` does.

    A line that ends with a colon is joined with the next one.
    """
    first, *others = [*text.strip()[: 2 * longest].splitlines(), ""]
    return in_one_line(f"{first} {others[0]}" if first.endswith(":") else first, longest)


def quoted(text: str, longest: int = _MAX_SHOWN) -> str:
    """Return `text` in quotes, printable, and cut after `longest` characters."""
    return f"'{shortened(text, longest)}'"


def escaped_markdown(text: str) -> str:
    """Return `text` so that a page of Markdown shows it as it is: no HTML, code, link or image."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", shortened(text))


def unescaped_code(text: str) -> str:
    """Return Markdown in which code spans have no escapes, because they would be displayed."""
    return _CODE.sub(_unescaped_span, text)


def _unescaped_span(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    content = re.sub(r"\\(.)", r"\1", match[2])
    runs = [len(run) for run in re.findall("`+", content)]
    fence = "`" * max(len(match[1]), 1 + max(runs, default=0))
    space = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{fence}{space}{content}{space}{fence}"


def without_html(text: str) -> str:
    """Return Markdown in which nothing is HTML."""
    return _TAG.sub(r"\\<", text)


def _json_letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))

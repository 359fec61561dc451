"""Names of suites, data sets and components, which are used in paths, commands and tables."""

from __future__ import annotations

import re

from bench.core.printable import quoted

MAX_LENGTH = 100
MAX_LABEL = 120
"""Characters of the label of an entry."""
NAME_PATTERN = f"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_LENGTH - 1}}}"
_NAME = re.compile(NAME_PATTERN)


def with_article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def name_fault(noun: str, name: object) -> str | None:
    """Return why `name` is not a valid name of a `noun`, or None."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return None
    return (
        f"{quoted(str(name))} is not a valid name of {with_article(noun)}; use at most "
        f"{MAX_LENGTH} letters (A to Z, a to z), digits, '.', '_' and '-', and begin with a letter "
        "or a digit"
    )


def text_fault(key: str, text: object, longest: int = MAX_LABEL) -> str | None:
    """Return why the text of `key` cannot be printed on a board, or None."""
    if isinstance(text, str) and text.isprintable() and 0 < len(text.strip()) <= longest:
        return None
    return (
        f"'{key}' has {quoted(str(text))}, which boards cannot print; write a text of at most "
        f"{longest} characters in one line"
    )

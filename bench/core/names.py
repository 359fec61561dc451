"""Names of suites, data sets and components, which stand in paths, commands and tables."""

from __future__ import annotations

import re

from bench.core.printable import quoted

MAX_LENGTH = 100
MAX_LABEL = 120
"""Characters of what boards call an entry."""
NAME_PATTERN = f"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_LENGTH - 1}}}"
_NAME = re.compile(NAME_PATTERN)


def with_article(noun: str) -> str:
    """Return a noun behind its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def name_fault(noun: str, name: object) -> str | None:
    """Return why a `noun` cannot be called so, or None."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return None
    return (
        f"{with_article(noun)} cannot be called {quoted(str(name))}, as names stand in paths, "
        f"commands and tables; take at most {MAX_LENGTH} letters (A to Z, a to z), digits, '.', "
        "'_' and '-', a letter or a digit first"
    )


def text_fault(key: str, text: object, longest: int = MAX_LABEL) -> str | None:
    """Return why the text of `key` cannot stand in a table of a board, or None."""
    if isinstance(text, str) and text.isprintable() and 0 < len(text.strip()) <= longest:
        return None
    return (
        f"'{key}' has {quoted(str(text))}, which boards cannot print; write a text of at most "
        f"{longest} characters in one line"
    )

"""Word rules: functions that split a text into the words that a WER counts."""

from __future__ import annotations

import re
from collections.abc import Callable

MARKS = "[](){}<>/\"'&+*=?!.,:;-—_€#%°"
"""Punctuation marks that are words of their own: those of
github.com/FactoDeepLearning/VerticalAttentionOCR since its commit e61cae9. Its pattern has a
backslash that escapes a parenthesis, so a backslash is not one of the marks."""
_MARK = re.compile(f"([{re.escape(MARKS)}])")


def spaces(text: str) -> list[str]:
    """Split a text at white space; a comma belongs to the word before it."""
    return text.split()


def marks(text: str) -> list[str]:
    """Split a text at white space and around punctuation marks: `don't, no` is `don ' t , no`.

    The words then do not depend on whether the reference has a space before a full stop.
    """
    return _MARK.sub(r" \1 ", text).split()


RULES: dict[str, Callable[[str], list[str]]] = {"spaces": spaces, "marks": marks}
"""The word rules by name."""

"""Word rules: how a text is cut into the words that a WER counts."""

from __future__ import annotations

import re
from collections.abc import Callable

MARKS = "[](){}<>/\"'&+*=?!.,:;-—_€#%°"
"""The marks that github.com/FactoDeepLearning/VerticalAttentionOCR sets apart since its commit
e61cae9. Its pattern escapes a parenthesis where it seems to list a backslash."""
_MARK = re.compile(f"([{re.escape(MARKS)}])")


def spaces(text: str) -> list[str]:
    """Return the words between white space: a comma belongs to the word before it."""
    return text.split()


def marks(text: str) -> list[str]:
    """Return words and, each by itself, punctuation marks: `don't, no` is `don ' t , no`.

    So the words do not depend on whether a ground truth has a space before a full stop.
    """
    return _MARK.sub(r" \1 ", text).split()


RULES: dict[str, Callable[[str], list[str]]] = {"spaces": spaces, "marks": marks}
"""The word rules by name."""

"""Word rules: how a text is cut into the words that a WER counts."""

from __future__ import annotations

import re
from collections.abc import Callable

# Those that github.com/FactoDeepLearning/VerticalAttentionOCR sets apart since its commit e61cae9.
MARKS = "[](){}<>/\\\"'&+*=?!.,:;-—_€#%°"
_MARK = re.compile(f"([{re.escape(MARKS)}])")


def spaces(text: str) -> list[str]:
    """Return what stands between white space: a comma belongs to the word before it."""
    return text.split()


def marks(text: str) -> list[str]:
    """Return words and, each by itself, marks of punctuation: `don't, no` is `don ' t , no`.

    So the words are the same whether a ground truth has a space before a full stop or not.
    """
    return _MARK.sub(r" \1 ", text).split()


RULES: dict[str, Callable[[str], list[str]]] = {"spaces": spaces, "marks": marks}
"""By the `word_rule` of a protocol."""

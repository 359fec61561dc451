"""Word rules: how a text is cut into the words that a WER counts."""

from __future__ import annotations

import re
from collections.abc import Callable

# The marks that the WER of "Vertical Attention OCR" (Coquenet et al., 2022) sets apart.
_MARKS = re.compile(r"""([\[\]{}/\\()"'&+*=<>?.;:,!\-—_€#%°])""")


def spaces(text: str) -> list[str]:
    """Return what stands between white space: a comma belongs to the word before it."""
    return text.split()


def marks(text: str) -> list[str]:
    """Return words and, each by itself, marks of punctuation: `don't, no` is `don ' t , no`.

    So the words are the same whether a ground truth has a space before a full stop or not.
    """
    return _MARKS.sub(r" \1 ", text).split()


RULES: dict[str, Callable[[str], list[str]]] = {"spaces": spaces, "marks": marks}
"""By the `word_rule` of a protocol."""

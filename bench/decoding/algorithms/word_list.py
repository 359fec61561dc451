"""A file of words, as sequences of classes of a vocabulary."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.core.files import lines_of_file
from bench.core.printable import quoted

Word = tuple[int, ...]
MAX_LINE = 4096
"""Characters of a line."""
MAX_WORDS = 5_000_000


@dataclass(frozen=True)
class WordList:
    """The words that a vocabulary can spell, each once, in the order of the file.

    `left_out` counts the words of the file with a character outside the vocabulary; `example` is
    the first of them, empty if there is none.
    """

    words: list[Word]
    left_out: int
    example: str


def read_word_list(path: str, vocabulary: tuple[str, ...], parameter: str) -> WordList:
    """Read a file of one word per line and spell its words in a vocabulary.

    A vocabulary without upper-case letters reads lower-case words, and one without lower-case
    letters upper-case words, so the words are converted as the targets of the training were. Blank
    lines and repeated words are skipped.

    Raises:
        BenchError: The file is missing or not text, a line or the file is too long, or no word of
            it can be spelled.
    """
    spelling = Spelling(vocabulary)
    words: dict[Word, None] = {}
    left_out, example = 0, ""
    for text in lines_of_file(path, parameter, MAX_LINE):
        word = spelling.classes(text)
        if word:
            words[word] = None
        elif word is None:
            left_out += 1
            example = example or text
        if len(words) > MAX_WORDS:
            raise BenchError(f"'{path}' of {parameter} has more than {MAX_WORDS:,} words")
    if not words:
        reason = (
            f"all {left_out} words have characters outside the vocabulary, such as "
            f"{quoted(example)}"
        )
        raise BenchError(
            f"'{path}' of {parameter} has no word that can be read: "
            f"{reason if left_out else 'it is empty'}; give words of the characters that the "
            "network was trained on"
        )
    return WordList(list(words), left_out, example)


class Spelling:
    """The classes of a word: of its characters or, for glosses, of its tokens between spaces."""

    def __init__(self, vocabulary: tuple[str, ...]) -> None:
        self._classes = {token: label for label, token in enumerate(vocabulary, 1)}
        self._splits = any(len(token) > 1 for token in vocabulary)
        text = "".join(vocabulary)
        self._lower = text == text.lower() and text != text.upper()
        self._upper = text == text.upper() and text != text.lower()

    def classes(self, text: str) -> Word | None:
        """Return the classes of a word, None if a character has none.

        The Unicode form is that of the file, or NFC or NFD where only these can be spelled.
        """
        text = text.strip()
        text = text.lower() if self._lower else text.upper() if self._upper else text
        for form in (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
            labels = [self._classes.get(token) for token in self._tokens(form)]
            if None not in labels:
                return tuple(filter(None, labels))
        return None

    def _tokens(self, text: str) -> list[str]:
        return text.split() if self._splits else list(text)

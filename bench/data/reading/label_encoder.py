"""Label encoder: maps transcripts to the class indices that a network learns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.evaluation.protocols import Protocol

_MAX_CACHED = 2**16
"""Transcripts whose targets are cached: about 20 MB of words."""


@dataclass(frozen=True)
class LabelEncoder:
    """Maps the tokens of a transcript to classes. Class 0 is blank.

    Attributes:
        vocabulary: The tokens; `vocabulary[c - 1]` is the token of class c.
        rules: The protocol that normalizes a transcript and splits it into tokens.
    """

    vocabulary: tuple[str, ...]
    rules: Protocol

    @cached_property
    def _classes(self) -> dict[str, int]:
        return {token: label for label, token in enumerate(self.vocabulary, 1)}

    @cached_property
    def _targets(self) -> dict[str, tuple[int, ...]]:
        """The targets of the first `_MAX_CACHED` transcripts, because words are repeated."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the caches."""
        return {"vocabulary": self.vocabulary, "rules": self.rules}

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the classes of the tokens of a transcript; tokens without a class are left out."""
        target = self._targets.get(text)
        if target is None:
            target = tuple(filter(None, map(self._classes.get, self.tokens(text))))
            if len(self._targets) < _MAX_CACHED:
                self._targets[text] = target
        return target

    def unknown_tokens(self, text: str) -> list[str]:
        """Return the tokens of a transcript that have no class, in order."""
        return [token for token in self.tokens(text) if token not in self._classes]

    def lost_tokens(self, text: str) -> set[str]:
        """Return the tokens without a class, and the characters that normalization drops."""
        return {*self.unknown_tokens(text), *self.rules.dropped(text)}

    def tokens(self, text: str) -> Sequence[str]:
        """Return the tokens of a transcript: characters, or glosses."""
        normalized = self.rules.normalize(text)
        # A network learns characters even where the protocol counts bytes.
        return normalized.split() if self.rules.unit == "gloss" else normalized


def encoder_of_alphabet(alphabet: Protocol) -> LabelEncoder:
    """Return the label encoder for the characters of a protocol.

    Raises:
        BenchError: The protocol does not list its characters.
    """
    if not alphabet.charset:
        raise BenchError(
            f"protocol '{alphabet.name}' lists no characters, so it cannot be an alphabet; "
            "set alphabet to a protocol with a list, such as 'str-36' or 'htr-thesis'"
        )
    return LabelEncoder(tuple(alphabet.charset), alphabet)


def common_encoder(encoders: Iterable[tuple[str, LabelEncoder]]) -> LabelEncoder:
    """Return one label encoder for several data sets that are trained on together.

    Vocabularies of glosses are merged; vocabularies of characters have to be equal.

    Args:
        encoders: The label of each data set, and its encoder.

    Raises:
        BenchError: Two data sets have different encoders.
    """
    (first, common), *others = encoders
    for name, encoder in others:
        if encoder == common:
            continue
        if encoder.rules != common.rules or common.rules.unit != "gloss":
            raise BenchError(
                f"data sets '{first}' and '{name}' have different alphabets "
                f"({len(common.vocabulary)} and {len(encoder.vocabulary)} classes) and cannot be "
                "trained on together; set alphabet to the protocol whose characters are to be "
                "learned from both"
            )
        vocabulary = {*common.vocabulary, *encoder.vocabulary}
        common = LabelEncoder(tuple(sorted(vocabulary)), common.rules)
    return common

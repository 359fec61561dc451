"""Transcripts to classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.evaluation.protocols import Protocol


@dataclass(frozen=True)
class Transcriber:
    """What a network learns to read of a transcript: class c is `vocabulary[c - 1]`.

    The text is normalised by `rules` first. Tokens that no class has are not learned; they stay in
    the transcript that is scored.
    """

    vocabulary: tuple[str, ...]
    rules: Protocol

    @cached_property
    def _classes(self) -> dict[str, int]:
        return {token: label for label, token in enumerate(self.vocabulary, 1)}

    def classes(self, text: str) -> tuple[int, ...]:
        """Return the target of a transcript."""
        return tuple(filter(None, map(self._classes.get, self.tokens(text))))

    def unknown(self, text: str) -> list[str]:
        """Return the tokens of a transcript that no class has, in their order."""
        return [token for token in self.tokens(text) if token not in self._classes]

    def tokens(self, text: str) -> Sequence[str]:
        """Return the tokens of a transcript: characters, or glosses."""
        return self.rules.tokens(self.rules.normalise(text))

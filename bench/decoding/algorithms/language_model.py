"""An n-gram language model over the classes of a vocabulary, with backoff.

log p(c | h) is that of the n-gram h c where the model has it, else backoff(h) + log p(c | h') with
h' = h without its first token (Katz, 1987; the ARPA format states it as such).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bench.decoding.algorithms.arpa import NGram

START, EOS = "<s>", "</s>"
UNKNOWN = ("<unk>", "<UNK>")
UNKNOWN_LOG_PROBABILITY = -99 * math.log(10)
"""Of a token that a model without an unknown token does not have: SRILM's log10 of zero."""
MAX_CACHED = 2**23
"""Values of a table in the cache of rows, 64 MiB; beyond it, rows are computed again."""


class LanguageModel:
    """Scores of all next classes after a state, in rows that are computed when first needed.

    A state stands for a history, shortened to its longest end after which the model knows more than
    after a shorter one. States are integers from 0, `start` is that of an empty text.

    Args:
        ngrams: The model, in natural logarithms.
        vocabulary: The tokens of the classes from 1.
        space: The token of the model that stands for " ", which no ARPA file can contain.
    """

    def __init__(
        self, ngrams: Iterable[NGram], vocabulary: tuple[str, ...], space: str = "<space>"
    ) -> None:
        # A token is one character here, and an n-gram a string of them: small, and fast to cut.
        self._symbols: dict[str, str] = {}
        self._scores: dict[str, float] = {}
        self._backoffs: dict[str, float] = {}
        for tokens, score, backoff in ngrams:
            key = "".join(map(self._symbol, tokens))
            self._scores[key] = score
            if backoff:
                self._backoffs[key] = backoff
        self._contexts = _prefixes(self._scores.keys()) | self._backoffs.keys()
        self._longest = max(map(len, self._contexts))
        unknown = next((self._symbols[token] for token in UNKNOWN if token in self._symbols), "")
        tokens = tuple(map({" ": space}.get, vocabulary, vocabulary))
        self.missing = tuple(
            token
            for token, named in zip(vocabulary, tokens, strict=True)
            if named not in self._symbols
        )
        """The tokens of the vocabulary that the model does not have."""
        self.has_unknown = bool(unknown)
        # Class 0 is never asked for; a token that nothing knows is the empty string.
        self._classes = ["", *(self._symbols.get(token, unknown) for token in tokens)]
        self._end = self._symbols.get(EOS, "")
        self._histories: list[str] = []
        self._states: dict[str, int] = {}
        self.start = self._state(self._context(self._symbols.get(START, "")))
        # Cached rows: the row of each state, and in it, by class, scores and following states.
        self._filled: dict[int, int] = {}
        self._table = np.zeros((64, len(self._classes)))
        self._next = np.full((64, len(self._classes)), -1, dtype=np.int64)

    def rows(self, states: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return log p(c | state) and the state behind c, both (…, C), of `states` (…).

        Those of class 0, the blank, are 0 and -1.
        """
        needed = np.unique(states)
        if (len(self._filled) + len(needed)) * len(self._classes) > MAX_CACHED:
            self._clear()
        rows = np.array([self._row(state) for state in needed.tolist()], dtype=np.int64)
        at = rows[np.searchsorted(needed, states)]
        return self._table[at], self._next[at]

    def end(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log p(</s> | state) of `states`, 0 where the model does not know the end."""
        if not self._end:
            return np.zeros(states.shape)
        needed, inverse = np.unique(states, return_inverse=True)
        scores = [self._log_probability(self._histories[state], self._end) for state in needed]
        return np.array(scores)[inverse].reshape(states.shape)

    def _symbol(self, token: str) -> str:
        return self._symbols.setdefault(token, chr(1 + len(self._symbols)))

    def _state(self, context: str) -> int:
        state = self._states.setdefault(context, len(self._histories))
        if state == len(self._histories):
            self._histories.append(context)
        return state

    def _context(self, history: str) -> str:
        """Return the longest end of a history that is a context of the model."""
        history = history[-self._longest :] if self._longest else ""
        while history and history not in self._contexts:
            history = history[1:]
        return history

    def _log_probability(self, history: str, symbol: str) -> float:
        if not symbol:
            return UNKNOWN_LOG_PROBABILITY
        weight = 0.0
        while (score := self._scores.get(history + symbol)) is None:
            # Every symbol has a 1-gram, so an empty history always has a score.
            weight += self._backoffs.get(history, 0.0)
            history = history[1:]
        return weight + score

    def _row(self, state: int) -> int:
        """Return the row of a state, computing it where it is new."""
        if state in self._filled:
            return self._filled[state]
        row = self._filled[state] = len(self._filled)
        if row == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._next = np.concatenate([self._next, np.full_like(self._next, -1)])
        history, symbols = self._histories[state], self._classes[1:]
        self._table[row, 1:] = [self._log_probability(history, symbol) for symbol in symbols]
        self._next[row, 1:] = [
            self._state(self._context(history + symbol) if symbol else "") for symbol in symbols
        ]
        return row

    def _clear(self) -> None:
        """Empty the cache of rows."""
        self._filled.clear()
        self._table, self._next = self._table[:64].copy(), self._next[:64].copy()


def _prefixes(ngrams: Iterable[str]) -> set[str]:
    """Return all proper prefixes of n-grams, also of those that no shorter n-gram is.

    A history has to be kept while it may still grow into a context.
    """
    prefixes = {""}
    for ngram in ngrams:
        prefix = ngram[:-1]
        while prefix not in prefixes:
            prefixes.add(prefix)
            prefix = prefix[:-1]
    return prefixes

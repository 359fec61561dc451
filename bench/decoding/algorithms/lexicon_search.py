"""Decoding with a lexicon: the choice of one of its words for each sample.

Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition"
(CRNN, TPAMI 2017), § 2.3.3. A word is a sequence of classes; the order of the words decides between
equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bench.decoding.algorithms.best_path import decode_ctc
from bench.decoding.algorithms.forced_alignment import align, log_likelihood, padded
from bench.decoding.algorithms.word_trie import word_trie
from bench.decoding.algorithms.word_trie_search import probable_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.decoding.algorithms.decoded import Decoded

Word = tuple[int, ...]
WORDS_PER_CALL = 1024
"""Words scored per call of native CTC; each has a copy of the frames of its sample."""
FIRST_CHARACTER = 0x10000
"""Classes are compared as characters from here on, where Unicode has no gap."""


class NearbyWord:
    """Choose the most probable word among those near the greedy reading.

    Words are near that at most `edits` edits turn into the reading, or else those with the fewest.
    """

    def __init__(self, words: Sequence[Word], edits: int) -> None:
        self._words = words
        self._edits = edits
        self._texts = [_text(word) for word in words]

    def __call__(self, logits: Tensor, lengths: Tensor) -> Decoded:
        """Decode logits (N, T, C) of the lengths (N,)."""
        log_probs = logits.detach().float().log_softmax(-1)
        candidates = [
            [self._words[index] for index in near]
            for near in self.near(decode_ctc(logits, lengths).labels)
        ]
        return most_probable(log_probs, lengths, candidates)

    def near(self, readings: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Return the indices of the words near each reading, ascending."""
        texts = [_text(reading.tolist()) for reading in readings]
        # As many readings at once as keep the table of distances below 2^24 entries.
        step = max(1, 2**24 // len(self._texts))
        nearest = []
        for start in range(0, len(texts), step):
            distances = process.cdist(
                texts[start : start + step],
                self._texts,
                scorer=Levenshtein.distance,
                dtype=np.uint16,
            )
            limits = np.maximum(distances.min(1), self._edits)
            nearest += [
                np.flatnonzero(row <= limit) for row, limit in zip(distances, limits, strict=True)
            ]
        return nearest


class MostProbableWord:
    """Choose the most probable word of all.

    The prefixes of all words are searched together, and those are dropped whose probability is
    below that of a word already scored; see `word_trie_search`. The result is exact.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._nearest = NearbyWord(words, edits=0)
        self._levels = word_trie(words)

    def __call__(self, logits: Tensor, lengths: Tensor) -> Decoded:
        """Decode logits (N, T, C) of the lengths (N,)."""
        log_probs = logits.detach().float().log_softmax(-1)
        # A good word to begin with: one with the fewest edits to the greedy reading.
        near = self._nearest.near(decode_ctc(logits, lengths).labels)
        first = [np.array(self._words[indices[0]], dtype=np.int64) for indices in near]
        floors = log_likelihood(log_probs, lengths, *padded(first, logits.device))
        words = probable_words(log_probs, lengths, self._levels, floors)
        return most_probable(
            log_probs, lengths, [[self._words[index] for index in sample] for sample in words]
        )


def most_probable(
    log_probs: Tensor, lengths: Tensor, candidates: Sequence[Sequence[Word]]
) -> Decoded:
    """Decode log_probs (N, T, C) to the most probable candidate of each sample.

    The first of equals is chosen, also where no candidate fits into the frames.
    """
    words = [np.array(word, dtype=np.int64) for sample in candidates for word in sample]
    counts = torch.tensor([len(sample) for sample in candidates], dtype=torch.int64)
    samples = torch.arange(len(candidates)).repeat_interleave(counts)
    scores = []
    for start in range(0, len(words), WORDS_PER_CALL):
        rows = samples[start : start + WORDS_PER_CALL]
        targets = padded(words[start : start + WORDS_PER_CALL], log_probs.device)
        frames = log_probs[rows.to(log_probs.device, non_blocking=True)]
        scores.append(log_likelihood(frames, lengths[rows], *targets).cpu())
    likelihoods = torch.cat(scores).numpy()
    bounds = [0, *counts.cumsum(0).tolist()]
    best = [words[start + int(likelihoods[start:end].argmax())] for start, end in pairwise(bounds)]
    return align(log_probs, lengths, *padded(best, log_probs.device))


def _text(labels: Sequence[int]) -> str:
    """Return classes as characters, which rapidfuzz compares fastest."""
    return "".join(chr(FIRST_CHARACTER + label) for label in labels)

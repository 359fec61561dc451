"""Reading with a lexicon: one of its words is there, and the question is which.

Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition"
(CRNN, TPAMI 2017), § 2.3.3. A word is a sequence of classes; a lexicon keeps its order, which
decides between equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import editdistance
import numpy as np
import torch

from bench.core.errors import BenchError
from bench.decoding.forced_alignment import align, log_likelihood, padded

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.decoding.decoded import Decoded

Word = Sequence[int]
Labels = Sequence["NDArray[np.int64]"]
AT_ONCE = 1024
"""So many words are scored in one call: each has a copy of its sample's frames."""
BINS = 64


def most_probable(logits: Tensor, lengths: Tensor, lexica: Sequence[Sequence[Word]]) -> Decoded:
    """Decode logits (N, T, C) to the word of each sample's lexicon with the largest p(word).

    The sum is over all paths, and exact. Of equals, also where no word fits into the frames, it is
    the first.
    """
    _refuse_empty(lexica)
    return _best(logits, lengths, lexica)


def closest(
    logits: Tensor, lengths: Tensor, readings: Labels, lexica: Sequence[Sequence[Word]]
) -> Decoded:
    """Return the word of each sample's lexicon with the fewest edits to its reading.

    `readings` are labels (N) read without a lexicon, `Decoded.labels` of any decoder. Of words with
    as few edits it is the most probable, of equals the first.
    """
    _refuse_empty(lexica)
    rows = zip((reading.tolist() for reading in readings), lexica, strict=True)
    return _best(logits, lengths, [_fewest_edits(reading, words) for reading, words in rows])


def nearby(
    logits: Tensor, lengths: Tensor, readings: Labels, lexicon: Neighbours, *, edits: int = 3
) -> Decoded:
    """Return the most probable word among those that `edits` turn into the sample's reading.

    CRNN's way through one large lexicon for all samples, with its δ of 3. Where no word is as near
    as that, the most probable of the nearest; of equals the first.
    """
    return _best(logits, lengths, [lexicon.around(reading.tolist(), edits) for reading in readings])


class Neighbours:
    """A lexicon that knows which of its words are near a reading.

    An edit adds at most one label and takes at most one away, so two words have at least as many
    edits as one of them has labels that the other lacks. That bound is one subtraction for all
    words, and leaves few to be compared. CRNN names a BK-tree; see docs/decisions.md.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        _refuse_empty([words])
        self.words = [tuple(word) for word in words]
        self._counts = np.stack([_counts(word) for word in self.words], axis=1)
        self._lengths = np.array([len(word) for word in self.words])

    def around(self, reading: Word, edits: int) -> list[Word]:
        """Return the words within so many edits, or else the nearest, in the lexicon's order."""
        other = np.abs(self._counts - _counts(reading)[:, np.newaxis]).sum(0, dtype=np.int16)
        bounds = (other + np.abs(self._lengths - len(reading))) // 2
        found: dict[int, int] = {}
        reach = max(len(reading), int(self._lengths.max()))
        for at in bounds.argsort(kind="stable").tolist():
            if bounds[at] > reach:
                break
            found[at] = editdistance.eval(reading, self.words[at])
            reach = min(reach, max(edits, found[at]))
        return [self.words[at] for at in sorted(found) if found[at] <= reach]


def _counts(word: Word) -> NDArray[np.int16]:
    """Count labels in `BINS` bins: what shares a bin makes the bound lower, never wrong."""
    return np.bincount(np.array(word, dtype=np.int64) % BINS, minlength=BINS).astype(np.int16)


def _fewest_edits(reading: Word, words: Sequence[Word]) -> list[Word]:
    distances = [editdistance.eval(reading, word) for word in words]
    fewest = min(distances)
    return [word for word, distance in zip(words, distances, strict=True) if distance == fewest]


def _best(logits: Tensor, lengths: Tensor, candidates: Sequence[Sequence[Word]]) -> Decoded:
    """Decode each sample to the most probable of its candidates, of equals the first."""
    log_probs = logits.detach().float().log_softmax(-1)
    words = [np.array(word, dtype=np.int64) for sample in candidates for word in sample]
    counts = torch.tensor([len(sample) for sample in candidates])
    owners = torch.arange(len(candidates)).repeat_interleave(counts).to(logits.device)
    scores = []
    for start in range(0, len(words), AT_ONCE):
        some = owners[start : start + AT_ONCE]
        targets = padded(words[start : start + AT_ONCE], logits.device)
        scores.append(log_likelihood(log_probs[some], lengths[some], *targets).cpu())
    found = torch.cat(scores).numpy()
    bounds = [0, *counts.cumsum(0).tolist()]
    chosen = [words[start + int(found[start:end].argmax())] for start, end in pairwise(bounds)]
    return align(log_probs, lengths, *padded(chosen, logits.device))


def _refuse_empty(lexica: Sequence[Sequence[Word]]) -> None:
    for number, words in enumerate(lexica):
        if not words:
            raise BenchError(f"lexicon {number} of {len(lexica)} is empty: give it words to choose")

"""Words as a tree of their prefixes, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Level(NamedTuple):
    """The K prefixes of one length; all tensors are (K,).

    The prefixes that extend prefix k by one label are the `children[k]` ones from `first_child[k]`
    in the next level.

    Attributes:
        label: The last label of each prefix; 0 for the empty one.
        word: The index of the word that is this prefix, -1 where none is.
        first_child: Where its extensions begin in the next level.
        children: The number of its extensions.
    """

    label: Tensor
    word: Tensor
    first_child: Tensor
    children: Tensor


def word_trie(words: Sequence[tuple[int, ...]]) -> list[Level]:
    """Return the prefixes of distinct words, one level per length from 0."""
    order = sorted(range(len(words)), key=lambda index: words[index])
    lengths = np.array([len(words[index]) for index in order])
    depth = int(lengths.max(initial=0))
    # Sorted, a word has its extensions behind it: -1 where it ended sorts before all labels.
    table = np.full((len(words), depth + 1), -1, dtype=np.int64)
    for row, index in enumerate(order):
        table[row, : lengths[row]] = words[index]
    owners = np.array(order)
    starts = np.zeros(1, dtype=np.int64)
    label = np.zeros(1, dtype=np.int64)
    levels = []
    for length in range(depth + 1):
        word = np.where(lengths[starts] == length, owners[starts], -1)
        column = table[:, length]
        # A new prefix begins where the parent changes or the next label does.
        new = np.zeros(len(words), dtype=bool)
        new[starts] = True
        new[1:] |= column[1:] != column[:-1]
        new &= column >= 0
        first = np.flatnonzero(new)
        bounds = first.searchsorted(np.append(starts, len(words)))
        # Words that ended earlier lie between the ranges of their parents and have no extension.
        levels.append(Level(*map(torch.from_numpy, (label, word, bounds[:-1], np.diff(bounds)))))
        starts, label = first, column[first]
    return levels

"""The most probable words of a trie by CTC, exactly, without scoring every word.

The prefix search of Graves et al. (ICML 2006), § 3.2, level by level: p(l…), the probability of all
labelings that begin with the prefix l, is at least that of every word that does. So a prefix is
dropped, with all words that begin with it, where p(l…) is below the probability of a word that has
been scored. Trained networks leave few prefixes; in the worst case all are scored once, which costs
less than scoring the words, which share them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.decoding.algorithms.word_trie import Level

MAX_ELEMENTS = 2**22
"""Prefixes × frames of one tensor; samples are searched in groups that keep to it."""
SLACK = 1e-3
"""Log-probabilities that differ by less are left for native CTC to compare, as are 1e-5 of them:
its sums are float32."""


class _Prefixes(NamedTuple):
    """K prefixes of one level, each in one sample.

    Attributes:
        sample: (K,), the sample of each.
        node: (K,), its index in the level.
        blank: (T+1, K), the log-probability that the frames before each one collapse to exactly
            this prefix, with a blank as the last class.
        label: (T+1, K), the same with its last label as the last class.
    """

    sample: Tensor
    node: Tensor
    blank: Tensor
    label: Tensor

    def select(self, mask: Tensor) -> _Prefixes:
        return _Prefixes(
            self.sample[mask], self.node[mask], self.blank[:, mask], self.label[:, mask]
        )


def probable_words(
    log_probs: Tensor, lengths: Tensor, levels: Sequence[Level], floors: Tensor
) -> list[list[int]]:
    """Return the words of each sample that may be its most probable one, as ascending indices.

    Args:
        log_probs: (N, T, C).
        lengths: (N,), the valid frames, on the host.
        levels: The trie of the words.
        floors: (N,), the log-probability of any word of the trie in each sample.
    """
    device = log_probs.device
    lengths = lengths.to(device, non_blocking=True)
    levels = [type(level)(*(each.to(device) for each in level)) for level in levels]
    widest = max(len(level.label) for level in levels)
    group = max(1, MAX_ELEMENTS // (widest * (log_probs.shape[1] + 1)))
    words: list[list[int]] = []
    for start in range(0, len(log_probs), group):
        part = slice(start, start + group)
        words += _search(log_probs[part].double(), lengths[part], levels, floors[part].double())
    return words


def _search(
    log_probs: Tensor, lengths: Tensor, levels: Sequence[Level], floors: Tensor
) -> list[list[int]]:
    frames = log_probs.transpose(0, 1).contiguous()
    prefixes = _empty_prefix(frames)
    best = floors.clone()
    samples, words, scores = [], [], []
    for depth, level in enumerate(levels):
        ends = level.word[prefixes.node] >= 0
        complete = prefixes.select(ends)
        score = _at_end(complete, lengths)
        best.scatter_reduce_(0, complete.sample, score, "amax")
        samples.append(complete.sample)
        words.append(level.word[complete.node])
        scores.append(score)
        if depth + 1 == len(levels):
            break
        prefixes = _extend(prefixes, level, levels[depth + 1].label, frames, lengths, best)
    sample, word, score = torch.cat(samples), torch.cat(words), torch.cat(scores)
    kept = score >= _lowered(best)[sample]
    result: list[list[int]] = [[] for _ in range(len(floors))]
    for owner, index in sorted(zip(sample[kept].tolist(), word[kept].tolist(), strict=True)):
        result[owner].append(index)
    return result


def _empty_prefix(frames: Tensor) -> _Prefixes:
    """Return the empty prefix of each sample of `frames` (T, N, C)."""
    count = frames.shape[1]
    sample = torch.arange(count, device=frames.device)
    before = frames.new_zeros(1, count)
    blank = torch.cat([before, frames[..., BLANK].cumsum(0)])
    return _Prefixes(sample, torch.zeros_like(sample), blank, torch.full_like(blank, -math.inf))


def _extend(
    prefixes: _Prefixes,
    level: Level,
    next_labels: Tensor,
    frames: Tensor,
    lengths: Tensor,
    best: Tensor,
) -> _Prefixes:
    """Return the extensions by one label that may begin a word as probable as the `best` (N,)."""
    counts = level.children[prefixes.node]
    parent = torch.arange(len(counts), device=frames.device).repeat_interleave(counts)
    ordinal = torch.arange(len(parent), device=frames.device)
    ordinal -= (counts.cumsum(0) - counts)[parent]
    node = level.first_child[prefixes.node][parent] + ordinal
    sample, label = prefixes.sample[parent], next_labels[node]
    # Of the parent, what may come before the new label: after an equal one, only a blank.
    repeats = label == level.label[prefixes.node][parent]
    before = prefixes.label[:-1, parent].masked_fill(repeats, -math.inf)
    before = torch.logaddexp(prefixes.blank[:-1, parent], before)
    emitted = frames[:, sample, label]
    valid = torch.arange(len(frames), device=frames.device).unsqueeze(1) < lengths[sample]
    entered = (before + emitted).masked_fill(~valid, -math.inf)
    kept = entered.logsumexp(0) >= _lowered(best)[sample]
    entered, emitted, sample = entered[:, kept], emitted[:, kept], sample[kept]
    blanks = frames[:, sample, BLANK]
    blank = entered.new_full((len(frames) + 1, len(sample)), -math.inf)
    last = torch.full_like(blank, -math.inf)
    for frame in range(len(frames)):
        last[frame + 1] = torch.logaddexp(last[frame] + emitted[frame], entered[frame])
        blank[frame + 1] = torch.logaddexp(blank[frame], last[frame]) + blanks[frame]
    return _Prefixes(sample, node[kept], blank, last)


def _at_end(prefixes: _Prefixes, lengths: Tensor) -> Tensor:
    """Return the log-probability (K,) that all valid frames collapse to exactly each prefix."""
    end = lengths[prefixes.sample].unsqueeze(0)
    return torch.logaddexp(prefixes.blank.gather(0, end), prefixes.label.gather(0, end)).squeeze(0)


def _lowered(best: Tensor) -> Tensor:
    """Return `best` less the error of float32 sums; -∞ stays."""
    return torch.where(best.isneginf(), best, best - SLACK - 1e-5 * best.abs())

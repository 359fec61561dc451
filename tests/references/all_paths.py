"""CTC by its definition: every path of a tiny batch is tried, none is skipped by a recursion."""

from __future__ import annotations

from itertools import groupby, pairwise, product
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st

from bench.core.types import Targets


class Case(NamedTuple):
    """A padded batch of tiny samples, as the functions take it."""

    logits: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor
    label_lengths: torch.Tensor

    @property
    def targets(self):
        return Targets(*self[1:])

    def sample(self, n):
        """Return the probabilities (T, C) and the target of sample n, without padding."""
        probabilities = self.logits[n, : self.lengths[n]].double().softmax(-1).numpy()
        return probabilities, tuple(self.labels[n, : self.label_lengths[n]].tolist())

    def alone(self, n):
        """Return sample n as a batch of one without padding."""
        frames, count = self.lengths[n], self.label_lengths[n]
        return Case(
            self.logits[n : n + 1, :frames],
            self.lengths[n : n + 1],
            self.labels[n : n + 1, :count],
            self.label_lengths[n : n + 1],
        )


@st.composite
def cases(draw, min_labels=0, max_labels=2, max_frames=5):
    classes = draw(st.integers(2, 4))
    label = st.integers(1, classes - 1)
    target = st.lists(label, min_size=min_labels, max_size=max_labels)
    sample = st.tuples(st.integers(1, max_frames), target)
    samples = draw(st.lists(sample, min_size=1, max_size=3))
    frames = max(length for length, _ in samples) + draw(st.integers(0, 2))
    labels = max(max(len(target) for _, target in samples) + draw(st.integers(0, 1)), 1)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([0.0, 1.0, 3.0]))
    logits = spread * torch.randn(len(samples), frames, classes, generator=generator)
    return Case(
        logits.clamp(-6, 6),
        torch.tensor([length for length, _ in samples]),
        torch.tensor([target + [0] * (labels - len(target)) for _, target in samples]),
        torch.tensor([len(target) for _, target in samples]),
    )


def feasible(frames, target):
    return frames >= len(target) + sum(a == b for a, b in pairwise(target))


def collapsed(path):
    return tuple(label for label, _ in groupby(path) if label != 0)


def probability(path, probabilities):
    return float(np.prod([frame[label] for frame, label in zip(probabilities, path, strict=True)]))


def alignments(probabilities, target):
    """Return every path of the target with its probability, by trying all paths there are."""
    frames, classes = probabilities.shape
    return {
        path: probability(path, probabilities)
        for path in product(range(classes), repeat=frames)
        if collapsed(path) == target
    }


def spaced(paths, limit):
    """Return those paths of which no segment is longer than the limit, nor what is behind."""
    return {path: weight for path, weight in paths.items() if max(segments(path)) <= limit}


def segments(path):
    """Return how long each label's segment is, blanks before its run included, and the rest."""
    runs = [(label, len(list(run))) for label, run in groupby(path)]
    lengths, waiting = [], 0
    for label, length in runs:
        waiting += length
        if label:
            lengths.append(waiting)
            waiting = 0
    return [*lengths, waiting]


def naive_posteriors(probabilities, target):
    return shares_of(alignments(probabilities, target), probabilities)


def shares_of(paths, probabilities):
    """Return the posteriors (T, C) of weighted paths, zero where there is none."""
    shares = np.zeros_like(probabilities)
    for path, weight in paths.items():
        shares[np.arange(len(path)), path] += weight / sum(paths.values())
    return shares

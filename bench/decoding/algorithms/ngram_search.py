"""CTC prefix beam search with a language model, for all samples of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.decoding.algorithms.forced_alignment import align, padded
from bench.nn.ctc_functions import BLANK

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.decoding.algorithms.decoded import Decoded
    from bench.decoding.algorithms.language_model import LanguageModel

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MAX_ELEMENTS = 2**20
"""Samples × width × classes of one array; batches are searched in groups that keep to it."""


class NGramSearch:
    """The labels l with the largest log p(l) + weight · log p_LM(l) + insertion · |l|.

    Algorithm 1 of Hannun et al. (arXiv:1408.2873, 2014), with the language model applied at every
    label as in Graves and Jaitly (ICML 2014), § 4: each prefix has the sum of its paths that end in
    blank and of those that end in its last label, and after each frame the `width` best prefixes
    are kept. The score of the end of the text, where the model has it, is added last.
    """

    def __init__(self, model: LanguageModel, weight: float, insertion: float, width: int) -> None:
        self._model = model
        self._weight = weight
        self._insertion = insertion
        self._width = width

    def __call__(self, logits: Tensor, lengths: Tensor) -> Decoded:
        """Decode logits (N, T, C) of the lengths (N,).

        The confidence is p(l) of the network over all paths, without the language model; the path
        is the most probable one of l.
        """
        log_probs = logits.detach().float().log_softmax(-1)
        # NaN, of a network that has diverged, is impossible: the sample reads as nothing.
        frames = np.nan_to_num(log_probs.double().cpu().numpy(), nan=-np.inf, neginf=-np.inf)
        # A padding frame that is surely blank changes no prefix.
        padding = np.arange(frames.shape[1]) >= lengths.numpy()[:, np.newaxis]
        frames[padding] = -np.inf
        frames[padding, BLANK] = 0
        step = max(1, MAX_ELEMENTS // (self._width * logits.shape[2]))
        labels: list[Integers] = []
        for start in range(0, len(frames), step):
            labels += self._search(frames[start : start + step])
        return align(log_probs, lengths, *padded(labels, logits.device))

    def _search(self, frames: Floats) -> list[Integers]:
        """Return the best labels of each sample of log-probabilities (N, T, C)."""
        tree = _PrefixTree(len(frames))
        beam = _empty_prefixes(len(frames), self._model.start)
        for emitted in frames.swapaxes(0, 1):
            beam = self._step(beam, emitted, tree)
        scores = beam.total() + beam.bonus + self._weight * self._model.end(beam.state)
        best = beam.node[np.arange(len(frames)), scores.argmax(1)]
        return [tree.labels(node) for node in best.tolist()]

    def _step(self, beam: _Beam, emitted: Floats, tree: _PrefixTree) -> _Beam:
        """Return the best prefixes after one more frame of log-probabilities (N, C).

        Candidates are (N, W, C): prefix w extended by class c or, where c is blank, left as it is.
        """
        rows = np.arange(len(emitted))[:, np.newaxis]
        slots = np.arange(beam.node.shape[1])
        total = beam.total()
        blank = total + emitted[:, [BLANK]]
        label = total[..., np.newaxis] + emitted[:, np.newaxis]
        # To extend a prefix by its last label once more, a blank has to lie between.
        label[rows, slots, beam.last] = beam.blank + emitted[rows, beam.last]
        label[..., BLANK] = beam.label + emitted[rows, beam.last]
        # Extensions that are in the beam already add to it and are no candidates themselves.
        row, slot, parent = beam.links(len(tree))
        same = (row, parent, beam.last[row, slot])
        label[row, slot, BLANK] = np.logaddexp(label[row, slot, BLANK], label[same])
        label[same] = -np.inf

        scores, states = self._model.rows(beam.state)
        bonus = beam.bonus[..., np.newaxis] + self._weight * scores + self._insertion
        bonus[..., BLANK] = beam.bonus
        states[..., BLANK] = beam.state
        candidates = label + bonus
        candidates[..., BLANK] = np.logaddexp(label[..., BLANK], blank) + beam.bonus
        slot, extension = _largest(candidates, self._width)
        chosen = (rows, slot, extension)
        alive = candidates[chosen] > -np.inf
        node, parent, last = tree.extend(beam, slot, extension, alive)
        return _Beam(
            node=node,
            parent=parent,
            last=last,
            state=states[chosen],
            blank=np.where(extension == BLANK, blank[rows, slot], -np.inf),
            label=label[chosen],
            bonus=bonus[chosen],
        )


class _Beam(NamedTuple):
    """W prefixes of each of N samples; all arrays are (N, W).

    Attributes:
        node: The prefix in the tree of all prefixes; 0 stands for none.
        parent: The prefix without its last label.
        last: The last label; blank for the empty prefix.
        state: The state of the language model.
        blank: The log-probability of its paths that end in blank.
        label: The log-probability of its paths that end in its last label.
        bonus: What the language model and the insertion bonus add to its score.
    """

    node: Integers
    parent: Integers
    last: Integers
    state: Integers
    blank: Floats
    label: Floats
    bonus: Floats

    def total(self) -> Floats:
        total: Floats = np.logaddexp(self.blank, self.label)
        return total

    def links(self, nodes: int) -> tuple[Integers, Integers, Integers]:
        """Return (row, slot, slot of the parent) of the prefixes whose parent is in the beam."""
        slot_of = np.full(nodes, -1, dtype=np.int64)
        slot_of[self.node] = np.arange(self.node.shape[1])
        slot_of[0] = -1
        parents = slot_of[self.parent]
        row, slot = np.nonzero(parents >= 0)
        return row, slot, parents[row, slot]


def _empty_prefixes(samples: int, state: int) -> _Beam:
    shape = (samples, 1)
    zeros = np.zeros(shape, dtype=np.int64)
    return _Beam(
        node=np.arange(1, samples + 1)[:, np.newaxis],
        parent=zeros,
        last=zeros,
        state=np.full(shape, state, dtype=np.int64),
        blank=np.zeros(shape),
        label=np.full(shape, -np.inf),
        bonus=np.zeros(shape),
    )


class _PrefixTree:
    """All prefixes that were in a beam, so that each has one number however often it returns.

    Node 0 stands for no prefix; nodes 1, …, N are the empty prefixes of the samples.
    """

    def __init__(self, samples: int) -> None:
        self._parents = [0] * (samples + 1)
        self._labels = [0] * (samples + 1)
        self._roots = samples
        self._nodes: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._parents)

    def extend(
        self, beam: _Beam, slot: Integers, extension: Integers, alive: NDArray[np.bool_]
    ) -> tuple[Integers, Integers, Integers]:
        """Return node, parent and last label of the chosen candidates, all (N, W)."""
        rows = np.arange(len(slot))[:, np.newaxis]
        node, parent, last = (each[rows, slot] for each in (beam.node, beam.parent, beam.last))
        extended = alive & (extension != BLANK)
        parent = np.where(extended, node, parent)
        last = np.where(extended, extension, last)
        keys = zip(parent[extended].tolist(), last[extended].tolist(), strict=True)
        node[extended] = [self._node(*key) for key in keys]
        node[~alive] = parent[~alive] = last[~alive] = 0
        return node, parent, last

    def labels(self, node: int) -> Integers:
        """Return the labels of a prefix."""
        labels = []
        while node > self._roots:
            labels.append(self._labels[node])
            node = self._parents[node]
        return np.array(labels[::-1], dtype=np.int64)

    def _node(self, parent: int, label: int) -> int:
        node = self._nodes.setdefault((parent, label), len(self._parents))
        if node == len(self._parents):
            self._parents.append(parent)
            self._labels.append(label)
        return node


def _largest(candidates: Floats, width: int) -> tuple[Integers, Integers]:
    """Return slot and class of the `width` best candidates (N, W, C), best first.

    Fewer where no sample has as many that are possible.
    """
    flat = candidates.reshape(len(candidates), -1)
    possible = int((flat > -np.inf).sum(1).max(initial=1))
    count = min(width, max(possible, 1))
    if count < flat.shape[1]:
        chosen = np.argpartition(flat, -count, axis=1)[:, -count:]
    else:
        chosen = np.broadcast_to(np.arange(flat.shape[1]), flat.shape)
    order = np.take_along_axis(flat, chosen, 1).argsort(1)[:, ::-1]
    slot, extension = np.divmod(np.take_along_axis(chosen, order, 1), candidates.shape[2])
    return slot, extension

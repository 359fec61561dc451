"""What can be told of a dataset and a recognizer before anything is trained."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import torch

from bench.components import Supervision, Truth
from bench.nn.ctc import valid_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from bench.components import Loss

_AT_ONCE = 4096


class Checked(NamedTuple):
    """How many samples there are, and those of them that no loss can learn from."""

    samples: int
    unalignable: list[Truth]


def check(truths: Iterable[Truth], loss: Loss, room: Callable[[Tensor], Tensor]) -> Checked:
    """Find the samples whose targets do not fit in what a network makes of their inputs.

    `room` maps input lengths (N,) to the frames or symbols that the network leaves to a target.
    However many samples there are, only some thousands are in memory at once.
    """
    count, found, rest = 0, list[Truth](), iter(truths)
    while several := list(islice(rest, _AT_ONCE)):
        fits = loss.alignable(_supervision(several, room)).tolist()
        found += [truth for truth, fit in zip(several, fits, strict=True) if not fit]
        count += len(several)
    return Checked(count, found)


def _supervision(truths: Sequence[Truth], room: Callable[[Tensor], Tensor]) -> Supervision:
    lengths = torch.tensor([len(truth.target) for truth in truths])
    targets = torch.zeros(len(truths), int(lengths.max()), dtype=torch.int64)
    inside = valid_frames(lengths, targets.shape[1])
    labels = chain.from_iterable(truth.target for truth in truths)
    targets[inside] = torch.tensor(list(labels), dtype=torch.int64)
    return Supervision(room(torch.tensor([truth.length for truth in truths])), targets, lengths)

"""What can be told of a dataset and a recognizer before anything is trained."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

import torch

from bench.core.types import Supervision
from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from bench.core.components import Loss
    from bench.core.types import Annotation

_AT_ONCE = 4096


def unalignable(
    annotations: Iterable[Annotation], loss: Loss, room: Callable[[Tensor], Tensor]
) -> tuple[int, list[Annotation]]:
    """Return the number of samples, and those whose targets do not fit what is made of them.

    `room` maps input lengths (N,) to the frames or symbols that a network leaves to a target.
    However many samples there are, only some thousands of those that fit are in memory at once.
    """
    count, found, rest = 0, [], iter(annotations)
    while several := list(islice(rest, _AT_ONCE)):
        fits = loss.alignable(_supervision(several, room)).tolist()
        found += [truth for truth, fit in zip(several, fits, strict=True) if not fit]
        count += len(several)
    return count, found


def _supervision(annotations: Sequence[Annotation], room: Callable[[Tensor], Tensor]) -> Supervision:
    lengths = torch.tensor([len(truth.target) for truth in annotations])
    targets = torch.zeros(len(annotations), int(lengths.max()), dtype=torch.int64)
    inside = valid_frames(lengths, targets.shape[1])
    labels = chain.from_iterable(truth.target for truth in annotations)
    targets[inside] = torch.tensor(list(labels), dtype=torch.int64)
    return Supervision(room(torch.tensor([truth.length for truth in annotations])), targets, lengths)

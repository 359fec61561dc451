"""What can be told of a dataset and a recognizer before anything is trained."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

from bench.components import Supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from bench.components import Loss, Truth

_AT_ONCE = 4096


def unalignable(
    truths: Iterable[Truth], loss: Loss, room: Callable[[Tensor], Tensor]
) -> list[Truth]:
    """Return the samples whose targets do not fit in what a network makes of their inputs.

    `room` maps input lengths (N,) to the frames or symbols that the network leaves to a target.
    """
    found = []
    rest = iter(truths)
    while several := list(islice(rest, _AT_ONCE)):
        supervision = Supervision(
            room(torch.tensor([truth.length for truth in several])),
            pad_sequence([torch.tensor(truth.target) for truth in several], batch_first=True),
            torch.tensor([len(truth.target) for truth in several]),
        )
        fits = loss.alignable(supervision).tolist()
        found += [truth for truth, fit in zip(several, fits, strict=True) if not fit]
    return found

"""What can be told of a dataset and a recognizer before anything is trained."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

import torch

from bench.core.types import Targets
from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from bench.core.components import Loss
    from bench.core.types import Annotation

_AT_ONCE = 4096


def infeasible_samples(
    annotations: Iterable[Annotation], loss: Loss, output_lengths: Callable[[Tensor], Tensor]
) -> tuple[int, list[Annotation]]:
    """Return the number of samples, and those whose targets do not fit what is made of them.

    `output_lengths` maps input lengths (N,) to those of the network's output.
    However many samples there are, only some thousands of those that fit are in memory at once.
    """
    count, found, rest = 0, [], iter(annotations)
    while several := list(islice(rest, _AT_ONCE)):
        fits = loss.feasible(_targets(several, output_lengths)).tolist()
        found += [annotation for annotation, fit in zip(several, fits, strict=True) if not fit]
        count += len(several)
    return count, found


def _targets(
    annotations: Sequence[Annotation], output_lengths: Callable[[Tensor], Tensor]
) -> Targets:
    lengths = torch.tensor([len(annotation.target) for annotation in annotations])
    labels = torch.zeros(len(annotations), int(lengths.max()), dtype=torch.int64)
    inside = valid_frames(lengths, labels.shape[1])
    rows = chain.from_iterable(annotation.target for annotation in annotations)
    labels[inside] = torch.tensor(list(rows), dtype=torch.int64)
    return Targets(
        output_lengths(torch.tensor([annotation.length for annotation in annotations])),
        labels,
        lengths,
    )

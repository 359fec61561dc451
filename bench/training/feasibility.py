"""Which samples are infeasible, before anything is trained."""

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

_CHUNK = 4096


def infeasible_samples(
    annotations: Iterable[Annotation], loss: Loss, output_lengths: Callable[[Tensor], Tensor]
) -> tuple[int, list[Annotation]]:
    """Return the number of samples, and those whose target is longer than the output.

    Memory holds the infeasible samples and some thousands of others, however many there are.

    Args:
        annotations: The samples.
        loss: The objective, which decides what is feasible.
        output_lengths: Maps input lengths (N,) to those of the network's output.
    """
    count, infeasible, rest = 0, [], iter(annotations)
    while chunk := list(islice(rest, _CHUNK)):
        feasible = loss.feasible(_targets(chunk, output_lengths)).tolist()
        infeasible += [each for each, fits in zip(chunk, feasible, strict=True) if not fits]
        count += len(chunk)
    return count, infeasible


def _targets(
    annotations: Sequence[Annotation], output_lengths: Callable[[Tensor], Tensor]
) -> Targets:
    lengths = torch.tensor([len(annotation.target) for annotation in annotations])
    labels = torch.zeros(len(annotations), int(lengths.max()), dtype=torch.int64)
    inside = valid_frames(lengths, labels.shape[1])
    flat = chain.from_iterable(annotation.target for annotation in annotations)
    labels[inside] = torch.tensor(list(flat), dtype=torch.int64)
    return Targets(
        output_lengths(torch.tensor([annotation.length for annotation in annotations])),
        labels,
        lengths,
    )

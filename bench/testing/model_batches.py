"""A small batch of random clips or images, for the checks of models."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.core.types import Batch, InputShape

TARGETS = ((1, 2, 3), (4, 5))
_FRAMES = 24


def make_model_batch(shape: InputShape, *, clips: bool) -> Batch:
    """Return two samples of three labels and two, the second of which is padded."""
    longest = _FRAMES if clips else shape.width
    targets = torch.tensor([[1, 2, 3], [4, 5, 0]])
    size = (2, _FRAMES, *shape) if clips else (2, *shape)
    inputs = torch.rand(size, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([longest, 3 * longest // 4])
    return Batch(
        inputs, lengths, targets, torch.tensor([3, 2]), torch.full_like(targets, -1), ("a", "b")
    )


def rows(batch: Batch, numbers: list[int]) -> Batch:
    """Return some samples of a batch, in this order."""
    index = torch.tensor(numbers)
    return batch._replace(
        inputs=batch.inputs[index],
        lengths=batch.lengths[index],
        targets=batch.targets[index],
        target_lengths=batch.target_lengths[index],
        key_frames=batch.key_frames[index],
        ids=tuple(batch.ids[row] for row in numbers),
    )


class Labels:
    """A feedback of the labels 1, 2 and 3 for every sample, which then ends."""

    def __init__(self, samples: int = len(TARGETS)) -> None:
        self._samples = samples
        self._next = 0

    def __call__(self, features: Tensor) -> Tensor | None:
        """Return the label of the next step, None at the end."""
        self._next += 1
        if self._next > max(map(len, TARGETS)):
            return None
        return torch.full((self._samples,), self._next, device=features.device)

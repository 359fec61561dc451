"""Functions that make augmented views of a batch, for losses that train on several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from bench.core.types import Batch
from bench.nn.ctc_functions import BLANK, valid_frames
from bench.nn.global_batch import gather_rows, global_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_CLIP_DIMENSIONS = 5


def concatenate_batches(views: Sequence[Batch]) -> Batch:
    """Concatenate `views`, whose inputs have the same shape, to one batch."""
    widest = max(view.targets.shape[1] for view in views)

    def rows(name: str, padding: int) -> Tensor:
        values = [getattr(view, name) for view in views]
        return torch.cat(
            [functional.pad(value, (0, widest - value.shape[1]), value=padding) for value in values]
        )

    return Batch(
        inputs=torch.cat([view.inputs for view in views]),
        lengths=torch.cat([view.lengths for view in views]),
        targets=rows("targets", BLANK),
        target_lengths=torch.cat([view.target_lengths for view in views]),
        key_frames=rows("key_frames", -1),
        ids=tuple(name for view in views for name in view.ids),
    )


def gather_batch(batch: Batch) -> tuple[Batch, slice]:
    """Return the batch of all ranks, and the slice of its rows that are those of `batch`.

    Ids of samples on other ranks are empty. With a single rank the batch is `batch` itself.
    """
    rows, own = global_rows(len(batch.ids))
    whole = Batch(
        inputs=gather_rows(batch.inputs),
        lengths=gather_rows(batch.lengths),
        targets=gather_rows(batch.targets),
        target_lengths=gather_rows(batch.target_lengths),
        key_frames=gather_rows(batch.key_frames),
        ids=("",) * own.start + batch.ids + ("",) * (rows - own.stop),
    )
    return whole, own


def select_rows(batch: Batch, rows: slice) -> Batch:
    """Return some rows of a batch, as views of its tensors."""
    return Batch(
        batch.inputs[rows],
        batch.lengths[rows],
        batch.targets[rows],
        batch.target_lengths[rows],
        batch.key_frames[rows],
        batch.ids[rows],
        batch.texts[rows],
    )


def permute_samples(batch: Batch, order: Tensor) -> Batch:
    """Return the samples of `batch` in `order` (N,), which is on the host."""
    return Batch(
        batch.inputs[order.to(batch.inputs.device, non_blocking=True)],
        batch.lengths[order],
        batch.targets[order],
        batch.target_lengths[order],
        batch.key_frames[order],
        tuple(batch.ids[row] for row in order.tolist()),
    )


def concatenate_samples(first: Batch, second: Batch) -> Batch:
    """Return each sample of `first` followed by that of `second`, resized to the longer of them.

    The valid columns or frames are concatenated and interpolated linearly; where all are valid,
    this equals `torch.nn.functional.interpolate` without aligned corners.

    Source: Zhang et al., "Context-based Contrastive Learning for Scene Text Recognition" (ConCLR,
    AAAI 2022), who concatenate two images and resize them to the size of one.
    """
    axis = time_axis(first.inputs)
    time, device = first.inputs.shape[axis], first.inputs.device
    of_first, of_second = (batch.lengths.to(device, non_blocking=True) for batch in (first, second))
    lengths = torch.maximum(of_first, of_second)
    total = (of_first + of_second).unsqueeze(1)
    positions = torch.arange(time, device=device) + 0.5
    sources = (positions * (total / lengths.unsqueeze(1)) - 0.5).clamp(min=0).minimum(total - 1)
    before = sources.long()
    share = broadcast_along(sources - before, first.inputs, axis).to(first.inputs.dtype)
    both = torch.cat([first.inputs, second.inputs], axis)
    left, right = (
        both.take_along_dim(
            broadcast_along(_concatenated_index(index, of_first, time), both, axis), axis
        )
        for index in (before, (before + 1).minimum(total - 1))
    )
    valid = broadcast_along(valid_frames(lengths, time), both, axis)
    targets, target_lengths = _targets(first, second)
    return Batch(
        inputs=torch.lerp(left, right, share) * valid,
        lengths=torch.maximum(first.lengths, second.lengths),
        targets=targets,
        target_lengths=target_lengths,
        key_frames=torch.full_like(targets, -1),
        ids=first.ids,
    )


def _targets(first: Batch, second: Batch) -> tuple[Tensor, Tensor]:
    """Return the concatenated targets (N, U₁ + U₂), and their lengths."""
    lengths = first.target_lengths + second.target_lengths
    both = torch.cat([first.targets, second.targets], 1)
    positions = torch.arange(both.shape[1]).expand_as(both)
    index = _concatenated_index(positions, first.target_lengths, first.targets.shape[1])
    targets = both.gather(1, index.clamp(max=both.shape[1] - 1))
    return targets.masked_fill(~valid_frames(lengths, both.shape[1]), BLANK), lengths


def _concatenated_index(positions: Tensor, lengths: Tensor, width: int) -> Tensor:
    """Return where `places` (N, …) of what is joined stand in two rows of `width` side by side."""
    lengths = lengths.unsqueeze(1)
    return torch.where(positions < lengths, positions, positions - lengths + width)


def time_axis(inputs: Tensor) -> int:
    """Return the time axis of inputs: the frames of clips, the columns of images."""
    return 1 if inputs.dim() == _CLIP_DIMENSIONS else 3


def broadcast_along(values: Tensor, inputs: Tensor, axis: int) -> Tensor:
    """Shape `values` (N, T) like `inputs` with T at `axis`, 1 elsewhere."""
    shape = [1] * inputs.dim()
    shape[0], shape[axis] = values.shape
    return values.view(shape)

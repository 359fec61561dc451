"""Augmented views of a batch: time masking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.nn.batch_views import broadcast_along, concatenate_batches, time_axis
from bench.nn.global_batch import from_rank_0, global_rows

if TYPE_CHECKING:
    from bench.core.types import Batch


def masked_views(batch: Batch, count: int, masks: int, share: float) -> Batch:
    """Return `count` augmented views of `batch`, concatenated, each sample with its own masks.

    Masked frames of a clip (N, T, channels, H, W) and masked columns of an image
    (N, channels, H, W) are 0.
    """
    views = concatenate_batches([batch] * count)
    inputs, time = views.inputs, time_axis(views.inputs)
    # Drawn on the CPU, so that masks are the same on every device.
    rows, own = global_rows(len(batch.ids))
    draws = from_rank_0(torch.randint(2**31, (2, count * rows, masks)))
    own_draws = draws.view(2, count, rows, masks)[:, :, own].flatten(1, 2)
    hidden = broadcast_along(
        masked_positions(views.lengths, inputs.shape[time], own_draws, share), inputs, time
    )
    inputs.masked_fill_(hidden.to(inputs.device, non_blocking=True), 0)
    return views


def masked_positions(lengths: Tensor, size: int, draws: Tensor, share: float) -> Tensor:
    """Return a mask (N, size), true at the positions that random time masks of SpecAugment cover.

    Each of M masks is 0 to ⌊share·T / M⌋ wide and starts anywhere in the T valid positions; masks
    may overlap.

    Args:
        lengths: T, the valid positions of each sample, (N,).
        size: The number of positions.
        draws: Random integers from a large range, (2, N, M), for widths and starts.
        share: The largest share of positions that the masks of a sample cover.

    Source: Park et al., "SpecAugment" (Interspeech 2019).
    """
    masks = draws.shape[2]
    # In double precision and rounded up slightly: 0.29 · 100 must not become 28.
    most = (lengths.double() * share + 1e-9).long() // max(masks, 1)
    widths = draws[0] % (most + 1).unsqueeze(1)
    starts = draws[1] % (lengths.unsqueeze(1) - widths + 1)
    positions = torch.arange(size).view(1, 1, -1)
    first, behind = starts.unsqueeze(2), (starts + widths).unsqueeze(2)
    return ((positions >= first) & (positions < behind)).any(1)

"""Augmented views of a batch: time masking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.nn.batch_views import along, stacked, time_axis
from bench.nn.global_batch import from_rank_0, global_rows

if TYPE_CHECKING:
    from bench.core.types import Batch


def masked_views(batch: Batch, count: int, masks: int, share: float) -> Batch:
    """Return `count` views of `batch`, concatenated, each sample with masks of its own.

    Masked frames of a clip (N, T, channels, H, W) and masked columns of an image
    (N, channels, H, W) are 0.
    """
    views = stacked([batch] * count)
    inputs, time = views.inputs, time_axis(views.inputs)
    # Drawn on the CPU, so that every device masks the same.
    rows, own = global_rows(len(batch.ids))
    draws = from_rank_0(torch.randint(2**31, (2, count * rows, masks)))
    mine = draws.view(2, count, rows, masks)[:, :, own].flatten(1, 2)
    hidden = along(stretches(views.lengths, inputs.shape[time], mine, share), inputs, time)
    inputs.masked_fill_(hidden.to(inputs.device, non_blocking=True), 0)
    return views


def stretches(lengths: Tensor, size: int, draws: Tensor, share: float) -> Tensor:
    """Return which of `size` positions are masked, (N, size).

    The time masks of SpecAugment (Park et al., Interspeech 2019) for samples of `lengths` (N,):
    each of M stretches is 0 to ⌊share·T / M⌋ wide and lies anywhere in the T valid positions,
    perhaps over another. `draws` (2, N, M) are integers drawn at random from a large range, which
    decide the widths and the places.
    """
    masks = draws.shape[2]
    # In double precision and a hair up: 0.29 · 100 must not become 28.
    most = (lengths.double() * share + 1e-9).long() // max(masks, 1)
    widths = draws[0] % (most + 1).unsqueeze(1)
    starts = draws[1] % (lengths.unsqueeze(1) - widths + 1)
    positions = torch.arange(size).view(1, 1, -1)
    first, behind = starts.unsqueeze(2), (starts + widths).unsqueeze(2)
    return ((positions >= first) & (positions < behind)).any(1)

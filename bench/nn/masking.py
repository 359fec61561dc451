"""Views of a batch with stretches of time hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.nn.batch_views import along, stacked, time_axis

if TYPE_CHECKING:
    from bench.core.types import Batch


def masked_views(batch: Batch, count: int, masks: int, share: float) -> Batch:
    """Return `count` views of `batch`, one behind the other, each sample masked on its own.

    Hidden frames of a clip (N, T, channels, H, W) and hidden columns of an image
    (N, channels, H, W) are 0.
    """
    views = stacked([batch] * count)
    inputs, time = views.inputs, time_axis(views.inputs)
    # Drawn on the CPU, so that every device masks the same.
    hidden = stretches(views.lengths.cpu(), inputs.shape[time], masks, share)
    inputs.masked_fill_(along(hidden, inputs, time).to(inputs.device), 0)
    return views


def stretches(lengths: Tensor, size: int, masks: int, share: float) -> Tensor:
    """Return which of `size` positions are hidden, (N, size), from the global generator.

    The time masks of SpecAugment (Park et al., Interspeech 2019) for samples of `lengths` (N,):
    each of `masks` stretches is 0 to ⌊share·T / masks⌋ wide and lies anywhere in the T valid
    positions, perhaps over another.
    """
    # In double precision and a hair up: 0.29 · 100 must not become 28.
    most = (lengths.double() * share + 1e-9).long() // max(masks, 1)
    draws = torch.randint(2**31, (2, len(lengths), masks))
    widths = draws[0] % (most + 1).unsqueeze(1)
    starts = draws[1] % (lengths.unsqueeze(1) - widths + 1)
    positions = torch.arange(size).view(1, 1, -1)
    first, behind = starts.unsqueeze(2), (starts + widths).unsqueeze(2)
    return ((positions >= first) & (positions < behind)).any(1)

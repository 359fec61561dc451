"""Encoded clips to the tensors that a `FrameInput` states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from bench.data.inputs import images
from bench.data.inputs.pixel_values import normalize_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.core.model_input import FrameInput
    from bench.data.inputs.images import Pixels
    from bench.data.reading.encoded_samples import EncodedSample

_CHANNELS = 3


def prepare_clips(
    samples: Sequence[EncodedSample], how: FrameInput
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips (N, T, 3, H, W), float32, padded with black frames, and their frames (N,).

    Frames are scaled and cropped in the middle, as those that bench trains with.

    Raises:
        BenchError: A frame cannot be decoded; it names the sample.
    """
    clips = [torch.from_numpy(_frames(sample, how)) for sample in samples]
    padded = pad_sequence(clips, batch_first=True).movedim(-1, -3)
    lengths = torch.tensor([len(clip) for clip in clips])
    return normalize_bytes(padded, how.normalization), lengths


def _frames(sample: EncodedSample, how: FrameInput) -> Pixels:
    """Return the frames (T, H, W, 3) of a clip."""
    places = range(len(sample.images))
    return np.stack([_scaled(sample.pixels(_CHANNELS, place), how) for place in places])


def _scaled(frame: Pixels, how: FrameInput) -> Pixels:
    """Return one frame, scaled and cropped."""
    if how.size:
        frame = images.resize_pixels(frame, how.size, how.size)
    if not how.crop:
        return frame
    top, left = ((side - how.crop) // 2 for side in frame.shape[:2])
    return frame[top : top + how.crop, left : left + how.crop]

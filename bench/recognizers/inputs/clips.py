"""Preparation of encoded clips as tensors, as a `FrameInput` describes."""

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
    samples: Sequence[EncodedSample], frame_input: FrameInput
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clips (N, T, 3, H, W), float32, padded with black frames, and their lengths (N,).

    Frames are scaled and cropped at the center, like the frames of training.

    Raises:
        BenchError: A frame cannot be decoded; the message has the id of the sample.
    """
    clips = [torch.from_numpy(_frames(sample, frame_input)) for sample in samples]
    padded = pad_sequence(clips, batch_first=True).movedim(-1, -3)
    lengths = torch.tensor([len(clip) for clip in clips])
    return normalize_bytes(padded, frame_input.normalization), lengths


def _frames(sample: EncodedSample, frame_input: FrameInput) -> Pixels:
    """Return the frames (T, H, W, 3) of a clip."""
    indices = range(len(sample.images))
    return np.stack([_scaled(sample.pixels(_CHANNELS, i), frame_input) for i in indices])


def _scaled(frame: Pixels, frame_input: FrameInput) -> Pixels:
    """Return one frame, scaled and cropped."""
    size, crop = frame_input.size, frame_input.crop
    if size:
        frame = images.resize_pixels(frame, size, size)
    if not crop:
        return frame
    top, left = ((side - crop) // 2 for side in frame.shape[:2])
    return frame[top : top + crop, left : left + crop]

"""The network of VAC over clips: frames, then convolutions over time, then a sequence module.

Min et al., "Visual Alignment Constraint for Continuous Sign Language Recognition" (ICCV 2021).
The clips of a batch are concatenated to one sequence of frames, so that padding is neither computed
nor counted by a batch normalization.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from bench.core.types import FeatureDims, Features
from bench.nn.ctc_functions import valid_frames

_KERNEL = 5
_POOL = 2
_LAYERS = 2
_SHRINK = _POOL**_LAYERS
_ENDS = 6
"""How often the first and the last frame are repeated, to make up for the unpadded convolutions."""


class ClipNetwork(nn.Module):
    """A `FrameNetwork` with one feature per four frames, and visual features before the encoder.

    Args:
        frame: Maps frames (M, channels, H, W) to (M, V).
        temporal: A `TemporalConvolution` from V to `hidden` features.
        encoder: Maps (N, T, hidden) and lengths (N,) to (N, T, D).
        feature_dims: The dimensions of the features.
    """

    def __init__(
        self, frame: nn.Module, temporal: nn.Module, encoder: nn.Module, feature_dims: FeatureDims
    ) -> None:
        super().__init__()
        self.frame = frame
        self.temporal = temporal
        self.encoder = encoder
        self.feature_dims = feature_dims

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return the features of clips (N, T, channels, H, W), and their lengths."""
        valid = _positions(valid_frames(lengths, inputs.shape[1]).flatten(), inputs.device)
        frames = self.frame(inputs.flatten(0, 1)[valid])
        extended, counts = repeat_ends(frames, lengths)
        lengths = self.output_lengths(lengths)
        clips = self.temporal(extended, counts).split(lengths.tolist())
        visual = pad_sequence(clips, batch_first=True)
        return Features(self.encoder(visual, lengths), visual), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return a quarter of `lengths` (N,), rounded up."""
        return quarter_lengths(lengths)


class TemporalConvolution(nn.Module):
    """Two layers, each a convolution over 5 frames and a maximum over 2, within each clip.

    4n + 12 frames become n.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        widths = [features] + [hidden] * (_LAYERS - 1)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, hidden, _KERNEL) for width in widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in widths)

    def forward(self, frames: Tensor, counts: Tensor) -> Tensor:
        """Map frames (Σ counts, features) of concatenated clips to (M, hidden).

        The counts (N,) are on the host.
        """
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            outputs = convolution(frames.T.unsqueeze(0)).squeeze(0).T
            # A window that begins in the last frames of a clip ends in the next clip.
            inside = frame_numbers(counts) < (counts - _KERNEL + 1).repeat_interleave(counts)
            kept = _positions(inside[: len(outputs)], outputs.device)
            outputs = functional.relu(norm(outputs[kept]))
            frames = outputs.view(-1, _POOL, outputs.shape[1]).amax(1)
            counts = (counts - _KERNEL + 1) // _POOL
        return frames


def repeat_ends(frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return clips with repeated first and last frames, and their new numbers of frames (N,).

    The first frame of each clip is repeated six times, the last one up to a multiple of four and
    then six times.

    Args:
        frames: Frames (Σ lengths, V) of concatenated clips.
        lengths: The number of frames of each clip, (N,), on the host; the result is there too.
    """
    counts = quarter_lengths(lengths) * _SHRINK + 2 * _ENDS
    starts = (lengths.cumsum(0) - lengths).repeat_interleave(counts)
    lasts = (lengths - 1).repeat_interleave(counts)
    chosen = starts + (frame_numbers(counts) - _ENDS).clamp(min=0).minimum(lasts)
    return frames[chosen.to(frames.device, non_blocking=True)], counts


def quarter_lengths(lengths: Tensor) -> Tensor:
    """Return a quarter of `lengths` (N,), rounded up."""
    rounded: Tensor = -(-lengths // _SHRINK)
    return rounded


def _positions(mask: Tensor, device: torch.device) -> Tensor:
    """Return the indices at which a mask (M,) on the host is true, on `device`."""
    return mask.nonzero().squeeze(1).to(device, non_blocking=True)


def frame_numbers(counts: Tensor) -> Tensor:
    """Return the number of each frame within its clip (Σ counts,), for clips of `counts` (N,)."""
    starts = (counts.cumsum(0) - counts).repeat_interleave(counts)
    return torch.arange(len(starts), device=counts.device) - starts

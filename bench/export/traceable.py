"""Networks without control flow that depends on values, so that they can be traced into a graph."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from bench.nn.convolutions import Convolutions, columns, cut
from bench.nn.ctc_functions import valid_frames
from bench.nn.frames import BiLSTM
from bench.nn.normalization import EPSILON, InstanceNorm

if TYPE_CHECKING:
    from bench.recognizers.networks.network import RecognitionNetwork

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Traceable(nn.Module):
    """A copy of a network that can be traced into one graph for all lengths.

    Args:
        network: The network, which is not changed.
        length: The number of columns of all images, if it is fixed; None if lengths are an input.
    """

    def __init__(self, network: RecognitionNetwork, length: int | None) -> None:
        super().__init__()
        self.network = replace_dynamic_modules(copy.deepcopy(network))
        self.length = length
        self.eval()

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return logits (N, T, C), and output lengths (N,) if lengths (N,) are given."""
        if lengths is not None:
            return cast("tuple[Tensor, Tensor]", self.network(inputs, lengths))
        assert self.length is not None, "without a fixed length, lengths are an input"  # noqa: S101
        lengths = inputs.new_full(inputs.shape[:1], self.length, dtype=torch.long)
        return (self.network(inputs, lengths)[0],)


def replace_dynamic_modules(network: nn.Module) -> nn.Module:
    """Replace, in place, the modules of a network whose control flow depends on lengths."""
    for name, part in network.named_children():
        if isinstance(part, BiLSTM):
            setattr(network, name, _MaskedBiLSTM(part))
        elif isinstance(part, Convolutions):
            setattr(network, name, _MaskedConvolutions(part))
            replace_dynamic_modules(part)  # the replacement has the same stages
        elif isinstance(part, InstanceNorm):
            setattr(network, name, _PreciseInstanceNorm())
        else:
            replace_dynamic_modules(part)
    return network


class _MaskedConvolutions(nn.Module):
    """`Convolutions` that always mask, or never, independent of the lengths."""

    def __init__(self, convolutions: Convolutions) -> None:
        super().__init__()
        self.stages = convolutions.stages
        self.masked = convolutions.masked

    def forward(self, images: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return feature maps and their lengths (N,) in columns."""
        valid = lengths if self.masked else None
        maps = cut(images, valid)
        for stage in self.stages:
            maps = stage(maps, valid)
            if valid is not None:
                valid = columns(stage, valid)
        return maps, columns(self.stages, lengths).clamp(min=1)


class _PreciseInstanceNorm(InstanceNorm):
    """`InstanceNorm` with sums in double precision.

    Sums of float32 are less precise in onnxruntime than in torch, and dividing by the deviation of
    a nearly constant map amplifies the error of its mean.
    """

    def forward(self, images: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return `images` (N, C, H, W) normalized over all columns, or over the first `lengths`."""
        valid = torch.ones_like(images[:, :1], dtype=torch.bool)
        if lengths is not None:
            valid = valid & valid_frames(lengths, images.shape[3], images.device)[:, None, None]
        count = _total(valid)
        mean = _total(images.where(valid, 0)) / count.clamp(min=1)
        centered = (images - mean.float()).where(valid, 0)
        deviation = (_total(centered.square()) / (count - 1).clamp(min=1)).sqrt()
        return centered / (deviation.float() + EPSILON)


def _total(pixels: Tensor) -> Tensor:
    return pixels.sum((2, 3), keepdim=True, dtype=torch.float64)


class _MaskedBiLSTM(nn.Module):
    """`BiLSTM` without packing: the backward direction starts at the end of each sample."""

    def __init__(self, packed: BiLSTM) -> None:
        super().__init__()
        lstm = packed.lstm
        self.layers = nn.ModuleList(
            nn.ModuleList(_direction(lstm, layer, suffix) for suffix in ("", "_reverse"))
            for layer in range(lstm.num_layers)
        )

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return features (N, T, 2·hidden), which do not depend on padding and are 0 there."""
        valid = valid_frames(lengths, frames.shape[1], frames.device)
        position = torch.arange(frames.shape[1], device=frames.device).unsqueeze(0)
        mirrored = torch.where(valid, lengths.unsqueeze(1) - 1 - position, position).unsqueeze(2)
        for forward, backward in cast("list[tuple[nn.Module, nn.Module]]", self.layers):
            back = backward(_gather_frames(frames, mirrored))[0]
            frames = torch.cat([forward(frames)[0], _gather_frames(back, mirrored)], 2)
            frames = frames.masked_fill(~valid.unsqueeze(2), 0)
        return frames


def _gather_frames(frames: Tensor, positions: Tensor) -> Tensor:
    """Return the frames (N, T, D) at positions (N, T, 1)."""
    return frames.gather(1, positions.expand(-1, -1, frames.shape[2]))


def _direction(lstm: nn.LSTM, layer: int, suffix: str) -> nn.LSTM:
    """Return one direction of one layer as an LSTM with the same weights."""
    features = 2 * lstm.hidden_size if layer else lstm.input_size
    single = nn.LSTM(features, lstm.hidden_size, batch_first=True)
    state = {f"{name}_l0": getattr(lstm, f"{name}_l{layer}{suffix}") for name in _WEIGHTS}
    single.load_state_dict(state)
    return single

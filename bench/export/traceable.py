"""Networks whose computation does not depend on values, so that they can be traced into a graph."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from bench.nn.convolutions import Convolutions, columns, cut
from bench.nn.ctc_functions import valid_frames
from bench.nn.frames import BiLSTM

if TYPE_CHECKING:
    from bench.recognizers.networks.network import RecognitionNetwork

_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Traceable(nn.Module):
    """A network from inputs to logits as one graph for all lengths.

    Args:
        network: What is traced; it is left as it is.
        length: The columns of all images, where they are equal; None: lengths are an input too.
    """

    def __init__(self, network: RecognitionNetwork, length: int | None) -> None:
        super().__init__()
        self.network = replaced(copy.deepcopy(network))
        self.length = length
        self.eval()

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return logits (N, T, C); where lengths (N,) are given, also those of the logits (N,)."""
        if lengths is not None:
            return cast("tuple[Tensor, Tensor]", self.network(inputs, lengths))
        assert self.length is not None, "lengths are an input where they differ"  # noqa: S101
        every = inputs.new_full(inputs.shape[:1], self.length, dtype=torch.long)
        return (self.network(inputs, every)[0],)


def replaced(network: nn.Module) -> nn.Module:
    """Replace the parts of a network that look at lengths to choose what to compute, in place."""
    for name, part in network.named_children():
        if isinstance(part, BiLSTM):
            setattr(network, name, _MaskedBiLSTM(part))
        elif isinstance(part, Convolutions):
            setattr(network, name, _MaskedConvolutions(part))
        else:
            replaced(part)
    return network


class _MaskedConvolutions(nn.Module):
    """What `Convolutions` computes, masked or not whatever the lengths are."""

    def __init__(self, convolutions: Convolutions) -> None:
        super().__init__()
        self.stages = convolutions.stages
        self.masked = convolutions.masked

    def forward(self, images: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps and the lengths (N,) of their columns."""
        inside = lengths if self.masked else None
        maps = cut(images, inside)
        for stage in self.stages:
            maps = stage(maps, inside)
            if inside is not None:
                inside = columns(stage, inside)
        return maps, columns(self.stages, lengths).clamp(min=1)


class _MaskedBiLSTM(nn.Module):
    """What `BiLSTM` computes, without packing: the way back begins at the end of each sample."""

    def __init__(self, packed: BiLSTM) -> None:
        super().__init__()
        lstm = packed.lstm
        self.layers = nn.ModuleList(
            nn.ModuleList(_direction(lstm, layer, suffix) for suffix in ("", "_reverse"))
            for layer in range(lstm.num_layers)
        )

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, T, 2·hidden); padding neither leaks in nor comes out."""
        valid = valid_frames(lengths, frames.shape[1], frames.device)
        place = torch.arange(frames.shape[1], device=frames.device).unsqueeze(0)
        mirrored = torch.where(valid, lengths.unsqueeze(1) - 1 - place, place).unsqueeze(2)
        for forward, backward in cast("list[tuple[nn.Module, nn.Module]]", self.layers):
            back = backward(_taken(frames, mirrored))[0]
            frames = torch.cat([forward(frames)[0], _taken(back, mirrored)], 2)
            frames = frames.masked_fill(~valid.unsqueeze(2), 0)
        return frames


def _taken(frames: Tensor, places: Tensor) -> Tensor:
    """Return the frames (N, T, D) at places (N, T, 1)."""
    return frames.gather(1, places.expand(-1, -1, frames.shape[2]))


def _direction(lstm: nn.LSTM, layer: int, suffix: str) -> nn.LSTM:
    """Return one direction of one layer, with its weights."""
    features = 2 * lstm.hidden_size if layer else lstm.input_size
    single = nn.LSTM(features, lstm.hidden_size, batch_first=True)
    state = {f"{name}_l0": getattr(lstm, f"{name}_l{layer}{suffix}") for name in _WEIGHTS}
    single.load_state_dict(state)
    return single

"""An autoregressive decoder with additive attention over a grid of features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.core.types import FeatureDims, Features
from bench.nn.ctc_functions import valid_frames
from bench.nn.feedback import EOS
from bench.nn.frames import BiLSTM

if TYPE_CHECKING:
    from bench.core.types import Feedback
    from bench.nn.convolutions import Convolutions

Recurrence = Literal["lstm", "gru"]


class GlimpseDecoder(nn.Module):
    """An LSTM or GRU that reads the last symbol and what attention finds by its last state.

    The order of Bahdanau, Cho and Bengio (ICLR 2015): e = vᵀ tanh(W s + V f) + b with the state s
    before the step, then the step, whose new state is the feature. `attention` is the size of v.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        embedding: int,
        hidden: int,
        attention: int,
        steps: int,
        recurrence: Recurrence = "lstm",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        cell = nn.LSTMCell if recurrence == "lstm" else nn.GRUCell
        self.embedding = nn.Embedding(classes, embedding)
        self.cell = cell(embedding + features, hidden)
        self.keys = nn.Linear(features, attention)
        self.query = nn.Linear(hidden, attention)
        self.energy = nn.Linear(attention, 1)
        self.dropout = nn.Dropout(dropout)
        self.feature_dims = FeatureDims(hidden)
        self.steps = steps

    def glimpses(
        self, grid: Tensor, lengths: Tensor, feedback: Feedback
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the feature (N, hidden) of each step, and its shares (N, H, W) of the grid.

        The grid is (N, H, W, features); its columns behind `lengths` (N,) have no share.
        """
        size, height, width, _ = grid.shape
        inside = valid_frames(lengths, width, grid.device)
        behind = ~inside.unsqueeze(1).expand(-1, height, -1).flatten(1)
        cells = grid.flatten(1, 2)
        keys = self.keys(cells)
        state = memory = grid.new_zeros(size, self.cell.hidden_size)
        symbols: Tensor | None = torch.full((size,), EOS, device=grid.device)
        for _ in range(self.steps):
            # In place: of the sum, nothing but its tanh is needed again.
            energy = self.energy((keys + self.query(state).unsqueeze(1)).tanh_()).squeeze(2)
            shares = energy.float().masked_fill(behind, -torch.inf).softmax(1)
            context = (shares.to(cells.dtype).unsqueeze(1) @ cells).squeeze(1)
            read = torch.cat([self.embedding(symbols), context], 1)
            if isinstance(self.cell, nn.LSTMCell):
                state, memory = self.cell(read, (state, memory))
            else:
                state = self.cell(read, state)
            feature = self.dropout(state)
            yield feature, shares.unflatten(1, (height, width))
            symbols = feedback(feature)
            if symbols is None:
                return


class RowEncoder(nn.Module):
    """A BiLSTM along the one row of a grid: (N, 1, W, C) to (N, 1, W, 2·hidden)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.row = BiLSTM(features, hidden, 1)

    def forward(self, grid: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, 1, W, 2·hidden), zero behind `lengths` (N,)."""
        encoded: Tensor = self.row(grid.squeeze(1), lengths)
        return encoded.unsqueeze(1)


class GlimpseReader(nn.Module):
    """Convolutions, an encoder where there is one, and a `GlimpseDecoder`: an `Attentive` network.

    The encoder maps a grid (N, H, W, C) and the lengths (N,) of its columns to another. `height` is
    the pixels that a row of the grid stands for.
    """

    def __init__(
        self,
        convolutions: Convolutions,
        encoder: nn.Module | None,
        decoder: GlimpseDecoder,
        height: int,
    ) -> None:
        super().__init__()
        self.cell = (height, convolutions.stride)
        self.convolutions = convolutions
        self.encoder = encoder
        self.decoder = decoder
        self.feature_dims = decoder.feature_dims
        self.steps = decoder.steps

    def forward(self, inputs: Tensor, lengths: Tensor, feedback: Feedback) -> Features:
        """Return the features (N, S, D) of every step."""
        glimpses = self._glimpses(inputs, lengths, feedback)
        return Features(torch.stack([feature for feature, _ in glimpses], 1))

    def attend(
        self, inputs: Tensor, lengths: Tensor, feedback: Feedback
    ) -> tuple[Features, Tensor]:
        """Return the features and the attention maps (N, S, H', W').

        Convolutions without padding left out as much on the left as on the right: it is put back,
        as zeros, so that a map covers its image.
        """
        features, shares = zip(*self._glimpses(inputs, lengths, feedback), strict=True)
        maps = torch.stack(shares, 1)
        lost = max(inputs.shape[3] // self.convolutions.stride - maps.shape[3], 0)
        maps = functional.pad(maps, (lost // 2, lost - lost // 2))
        return Features(torch.stack(features, 1)), maps

    def _glimpses(
        self, inputs: Tensor, lengths: Tensor, feedback: Feedback
    ) -> Iterator[tuple[Tensor, Tensor]]:
        maps, lengths = self.convolutions(inputs, lengths)
        grid = maps.movedim(1, 3)
        if self.encoder is not None:
            grid = self.encoder(grid, lengths)
        return self.decoder.glimpses(grid, lengths, feedback)

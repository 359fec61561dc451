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
    """An LSTM or GRU over the last symbol and the context that attention gives for its last state.

    Energies are e = vᵀ tanh(W s + V f) + b with the state s before the step; the new state is the
    feature.

    Args:
        features: The channels of the grid.
        classes: The number of classes with EOS.
        embedding: The dimension of the embedded symbols.
        hidden: The units of the cell.
        attention: The dimension of v.
        steps: The largest number of steps.
        recurrence: Which cell it is.
        dropout: The probability of dropout of the features.

    Source: Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
    Translate" (ICLR 2015).
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
        """Yield the feature (N, hidden) and the attention weights (N, H, W) of each step.

        The grid is (N, H, W, features); its columns after `lengths` (N,) have weight 0.
        """
        size, height, width, _ = grid.shape
        inside = valid_frames(lengths, width, grid.device)
        behind = ~inside.unsqueeze(1).expand(-1, height, -1).flatten(1)
        cells = grid.flatten(1, 2)
        keys = self.keys(cells)
        state = memory = grid.new_zeros(size, self.cell.hidden_size)
        symbols: Tensor | None = torch.full((size,), EOS, device=grid.device)
        for _ in range(self.steps):
            # In place, because only the tanh of the sum is needed again.
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
    """A BiLSTM along a grid of one row: (N, 1, W, C) to (N, 1, W, 2·hidden)."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.row = BiLSTM(features, hidden, 1)

    def forward(self, grid: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, 1, W, 2·hidden), zero after `lengths` (N,)."""
        encoded: Tensor = self.row(grid.squeeze(1), lengths)
        return encoded.unsqueeze(1)


class GlimpseReader(nn.Module):
    """Convolutions, an optional encoder, and a `GlimpseDecoder`: an `Attentive` network.

    Args:
        convolutions: Images to maps (N, C, H, W).
        encoder: Maps a grid (N, H, W, C) and the lengths (N,) of its columns to another grid.
        decoder: Reads the grid.
        height: The pixel rows per row of the grid.
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

        Columns that convolutions without padding removed on both sides are filled with zeros, so
        that a map covers its image.
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

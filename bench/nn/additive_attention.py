"""An autoregressive decoder with additive attention over frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bench.core.types import FeatureDims, Features
from bench.nn.ctc_functions import valid_frames
from bench.nn.feedback import EOS

if TYPE_CHECKING:
    from bench.core.types import Feedback


class AttentionDecoder(nn.Module):
    """An autoregressive LSTM with additive attention over frames.

    Additive attention (Bahdanau, Cho and Bengio, ICLR 2015): e_t = vᵀ tanh(W h + V f_t), a softmax
    over the valid frames. Its features are the new state and the context, (N, D) per step.

    Args:
        features: The dimension of a frame.
        hidden: The units of the LSTM, of the embedding and of the energies.
        classes: The number of classes with the EOS.
        steps: The largest number of steps.
    """

    def __init__(self, features: int, hidden: int, classes: int, steps: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, hidden)
        self.cell = nn.LSTMCell(hidden + features, hidden)
        self.keys = nn.Linear(features, hidden)
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.energy = nn.Linear(hidden, 1, bias=False)
        self.feature_dims = FeatureDims(hidden + features)
        self.steps = steps

    def forward(self, frames: Tensor, lengths: Tensor, feedback: Feedback) -> Tensor:
        """Return features (N, S, D) from frames (N, T, features) and their lengths (N,)."""
        padding = ~valid_frames(lengths, frames.shape[1], frames.device).unsqueeze(2)
        keys = self.keys(frames)
        state = cell = frames.new_zeros(len(frames), self.cell.hidden_size)
        context = frames.new_zeros(len(frames), frames.shape[2])
        symbols: Tensor | None = torch.full((len(frames),), EOS, device=frames.device)
        outputs: list[Tensor] = []
        while symbols is not None and len(outputs) < self.steps:
            read = torch.cat([self.embedding(symbols), context], 1)
            state, cell = self.cell(read, (state, cell))
            energy = self.energy(torch.tanh(keys + self.query(state).unsqueeze(1)))
            weights = energy.float().masked_fill(padding, -torch.inf).softmax(1).to(frames.dtype)
            context = (weights * frames).sum(1)
            outputs.append(torch.cat([state, context], 1))
            symbols = feedback(outputs[-1])
        return torch.stack(outputs, 1)


class AttentionReader(nn.Module):
    """A network over frames under an `AttentionDecoder`: a `Seq2SeqNetwork`."""

    def __init__(self, frames: nn.Module, decoder: AttentionDecoder) -> None:
        super().__init__()
        self.frames = frames
        self.decoder = decoder
        self.feature_dims = decoder.feature_dims
        self.steps = decoder.steps

    def forward(self, inputs: Tensor, lengths: Tensor, feedback: Feedback) -> Features:
        """Return the features (N, S, D) of every step."""
        features, lengths = self.frames(inputs, lengths)
        return Features(self.decoder(features.sequence, lengths, feedback))

"""Feature extractors over clips of frames (N, T, channels, H, W)."""

from __future__ import annotations

from torch import Tensor, nn

from bench.core.types import FeatureDims, Features


class PerFrame(nn.Module):
    """A network applied to every single frame, then an optional encoder over time.

    Args:
        frame: Maps frames (M, channels, H, W) to (M, V).
        feature_dims: The dimensions of the features.
        encoder: Maps (N, T, V) and lengths (N,) to (N, T, D); None: D is V.
    """

    def __init__(
        self, frame: nn.Module, feature_dims: FeatureDims, encoder: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.frame = frame
        self.encoder = encoder
        self.feature_dims = feature_dims

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return features of every frame, visual ones below an encoder, and the same lengths."""
        frames = self.frame(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])
        if self.encoder is None:
            return Features(frames), lengths
        return Features(self.encoder(frames, lengths), frames), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return `lengths`, because each frame gives one frame."""
        return lengths


class BiLSTM(nn.Module):
    """Bidirectional LSTM over valid frames only: (N, T, D) to (N, T, 2·hidden).

    Args:
        features: The input dimension D.
        hidden: The units of each direction.
        layers: The number of layers.
        dropout: The probability of dropout between layers.
    """

    def __init__(self, features: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            features, hidden, layers, batch_first=True, dropout=dropout, bidirectional=True
        )

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, T, 2·hidden), independent of padding and zero on it."""
        if bool((lengths == frames.shape[1]).all()):
            whole: Tensor = self.lstm(frames)[0]  # the same bits as packed, in half the time
            return whole
        # Sorted here, because torch would synchronize with the device when it sorts and unsorts.
        descending, order = lengths.sort(descending=True)
        there, back = (
            index.to(frames.device, non_blocking=True) for index in (order, order.argsort())
        )
        packed = nn.utils.rnn.pack_padded_sequence(
            frames.index_select(0, there), descending, batch_first=True
        )
        encoded, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=frames.shape[1]
        )
        return encoded.index_select(0, back)


class JoinedBiLSTM(nn.Module):
    """Two BiLSTMs with a linear layer between: (N, T, D) to (N, T, 2·hidden).

    The layer projects both directions of the first BiLSTM to `hidden` features.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.first = BiLSTM(features, hidden, 1)
        self.join = nn.Linear(2 * hidden, hidden)
        self.second = BiLSTM(hidden, hidden, 1)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, T, 2·hidden), independent of padding and zero on it."""
        encoded: Tensor = self.second(self.join(self.first(frames, lengths)), lengths)
        return encoded


class ProjectedBiLSTM(nn.Module):
    """Two BiLSTMs, each followed by a linear layer: (N, T, D) to (N, T, hidden).

    Each layer projects both directions to `hidden` features.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.first = BiLSTM(features, hidden, 1)
        self.join = nn.Linear(2 * hidden, hidden)
        self.second = BiLSTM(hidden, hidden, 1)
        self.project = nn.Linear(2 * hidden, hidden)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return (N, T, hidden); valid frames are independent of padding."""
        joined = self.join(self.first(frames, lengths))
        projected: Tensor = self.project(self.second(joined, lengths))
        return projected

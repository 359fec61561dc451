"""Pre-norm transformer blocks over the patches of an image.

Dosovitskiy et al., "An Image Is Worth 16x16 Words" (ICLR 2021).
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

_EPSILON = 1e-6


class Attention(nn.Module):
    """Self-attention of `heads` heads: (N, L, D) to the same."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.read = nn.Linear(features, 3 * features)
        self.output = nn.Linear(features, features)
        self.heads = heads

    def forward(self, tokens: Tensor, seen: Tensor | None = None) -> Tensor:
        """Return (N, L, D); `seen` (L, L) is true where a token may attend to another."""
        queries, keys, values = self._heads(tokens)
        gathered = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        output: Tensor = self.output(gathered.transpose(1, 2).flatten(2))
        return output

    def weights(self, tokens: Tensor) -> Tensor:
        """Return the attention weights (N, L, L), the mean over heads."""
        queries, keys, _ = self._heads(tokens)
        scores = (queries @ keys.transpose(2, 3)).float() / math.sqrt(queries.shape[3])
        return scores.softmax(3).mean(1)

    def _heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (N, heads, L, D / heads)."""
        read = self.read(tokens).unflatten(2, (3, self.heads, -1))
        queries, keys, values = read.permute(2, 0, 3, 1, 4).unbind()
        return queries, keys, values


class Block(nn.Module):
    """Self-attention and a perceptron of four times the width, each after a normalization.

    Args:
        features: The dimension D of the tokens.
        heads: The attention heads.
        drop: The probability that a sample skips either part in training (Huang et al., "Deep
            Networks with Stochastic Depth", ECCV 2016).
    """

    def __init__(self, features: int, heads: int, drop: float = 0.0) -> None:
        super().__init__()
        self.attention = Attention(features, heads)
        self.attention_norm = nn.LayerNorm(features, eps=_EPSILON)
        self.perceptron = nn.Sequential(
            nn.Linear(features, 4 * features), nn.GELU(), nn.Linear(4 * features, features)
        )
        self.perceptron_norm = nn.LayerNorm(features, eps=_EPSILON)
        self.drop = StochasticDepth(drop, "row")

    def forward(self, tokens: Tensor, seen: Tensor | None = None) -> Tensor:
        """Map (N, L, D) to the same; `seen` (L, L) as for `Attention`."""
        tokens = tokens + self.drop(self.attention(self.attention_norm(tokens), seen))
        changed: Tensor = tokens + self.drop(self.perceptron(self.perceptron_norm(tokens)))
        return changed


def initialize(network: nn.Module) -> None:
    """Initialize weights of linear layers from N(0, 0.02²), and biases with 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

"""A vision transformer whose first patches are classified as labels.

Atienza, "Vision Transformer for Fast and Efficient Scene Text Recognition" (ICDAR 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bench.core.types import FeatureDims, Features
from bench.nn.fixed_width import pad_to_width
from bench.nn.transformer import Block, initialize

if TYPE_CHECKING:
    from bench.core.types import Feedback


class ViTSTR(nn.Module):
    """An `Attentive` network over images of `patches` (rows, columns): DeiT's encoder.

    The first `steps` output tokens are classified as symbols. The class token before them is not
    used.
    """

    def __init__(
        self,
        embedding: nn.Conv2d,
        patches: tuple[int, int],
        *,
        depth: int,
        heads: int,
        steps: int,
    ) -> None:
        super().__init__()
        features = embedding.out_channels
        self.embedding = embedding
        self.patches = patches
        self.cell = embedding.kernel_size
        self.width = patches[1] * self.cell[1]
        self.token = nn.Parameter(torch.empty(1, 1, features))
        self.positions = nn.Parameter(torch.empty(1, 1 + patches[0] * patches[1], features))
        self.blocks = nn.Sequential(*(Block(features, heads) for _ in range(depth - 1)))
        self.last = Block(features, heads)
        self.norm = nn.LayerNorm(features, eps=1e-6)
        self.feature_dims = FeatureDims(features)
        self.steps = steps
        initialize(self)
        for drawn in (self.token, self.positions):
            nn.init.trunc_normal_(drawn, std=0.02)

    def forward(
        self,
        inputs: Tensor,
        lengths: Tensor,
        feedback: Feedback,  # noqa: ARG002 (all at once)
    ) -> Features:
        """Return the features (N, S, D) of all steps."""
        return self._symbols(self._tokens(inputs, lengths))

    def attend(
        self,
        inputs: Tensor,
        lengths: Tensor,
        feedback: Feedback,  # noqa: ARG002 (all at once)
    ) -> tuple[Features, Tensor]:
        """Return the features, and the attention maps of the last block.

        Maps (N, S, rows, columns) are means over heads, without the weight of the class token.
        """
        tokens = self._tokens(inputs, lengths)
        weights = self.last.attention.weights(self.last.attention_norm(tokens))
        shares = weights[:, 1 : 1 + self.steps, 1:]
        maps = shares / shares.sum(2, keepdim=True)
        return self._symbols(tokens), maps.view(*maps.shape[:2], *self.patches)

    def _tokens(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the input of the last block, (N, 1 + patches, D)."""
        patches = (
            self.embedding(pad_to_width(inputs, lengths, self.width)).flatten(2).transpose(1, 2)
        )
        # Not len(patches), which an exported graph would keep as a constant.
        tokens = torch.cat([self.token.expand(patches.shape[0], -1, -1), patches], 1)
        encoded: Tensor = self.blocks(tokens + self.positions)
        return encoded

    def _symbols(self, tokens: Tensor) -> Features:
        return Features(self.norm(self.last(tokens))[:, 1 : 1 + self.steps])

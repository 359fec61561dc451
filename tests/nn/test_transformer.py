from __future__ import annotations

import torch
from torch import nn

from bench.nn.transformer import Attention, Block, initialize


def both():
    """Return bench's attention and torch's, with the same weights."""
    torch.manual_seed(0)
    ours, theirs = Attention(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
    theirs.in_proj_weight.data.copy_(ours.read.weight.data)
    theirs.in_proj_bias.data.copy_(ours.read.bias.data)
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return ours, theirs


def test_attention_is_torchs():
    ours, theirs = both()
    tokens = torch.randn(2, 5, 12)
    gathered, weights = theirs(tokens, tokens, tokens)
    torch.testing.assert_close(ours(tokens), gathered)
    torch.testing.assert_close(ours.weights(tokens), weights)


def test_attention_looks_where_it_may():
    ours, theirs = both()
    tokens, seen = torch.randn(2, 5, 12), torch.eye(5, dtype=torch.bool).roll(1, 1)
    gathered, _ = theirs(tokens, tokens, tokens, attn_mask=~seen)
    torch.testing.assert_close(ours(tokens, seen), gathered)


def test_a_block_leaves_samples_out_in_training_alone():
    torch.manual_seed(0)
    block, tokens = Block(8, 2, drop=0.5), torch.randn(64, 3, 8)
    kept = (block(tokens) == tokens).flatten(1).all(1)
    assert 4 < kept.sum() < 30  # both halves of the block are left out of a quarter
    block.eval()
    torch.testing.assert_close(block(tokens), block(tokens))
    assert not (block(tokens) == tokens).any()


def test_linear_layers_start_small_and_without_bias():
    network = nn.Sequential(nn.Linear(200, 100), nn.Linear(100, 50, bias=False))
    initialize(network)
    assert not network[0].bias.any()
    for layer in network:
        assert 0.018 < layer.weight.std().item() < 0.022

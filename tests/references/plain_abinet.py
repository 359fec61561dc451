"""ABINet's vision model as one would first write it, over the weights of bench's."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

HEADS = 8


def transformed(layer, tokens):
    """Return tokens (L, N, D) after one post-norm layer, its attention head by head."""
    attention, features = layer.self_attn, tokens.shape[2]
    size = features // HEADS
    read = functional.linear(tokens, attention.in_proj_weight, attention.in_proj_bias)
    queries, keys, values = (
        part.reshape(len(tokens), -1, size).transpose(0, 1) for part in read.chunk(3, 2)
    )
    scores = torch.bmm(queries / math.sqrt(size), keys.transpose(1, 2))
    heard = torch.bmm(functional.softmax(scores, -1), values)
    heard = attention.out_proj(heard.transpose(0, 1).reshape(tokens.shape))
    tokens = layer.norm1(tokens + heard)
    return layer.norm2(tokens + layer.linear2(functional.relu(layer.linear1(tokens))))


def encoded(encoder, images):
    tokens = images.flatten(2).permute(2, 0, 1) + encoder.positions.unsqueeze(1)
    for layer in encoder.layers.layers:
        tokens = transformed(layer, tokens)
    return tokens.permute(1, 2, 0).reshape(images.shape)


def symbols(attention, images):
    """Return what each of the steps (N, S, D) finds in images (N, D, H, W), and where."""
    count, features, height, width = images.shape
    down, keys = [], images
    for layer in attention.down:
        keys = layer(keys)
        down.append(keys)
    for layer, beside in zip(attention.up[:3], reversed(down[:3]), strict=True):
        keys = layer(functional.interpolate(keys, scale_factor=2)) + beside
    keys = attention.up[3](functional.interpolate(keys, (height, width)))
    numbers = attention.numbers.unsqueeze(0).repeat(count, 1, 1)
    scores = torch.bmm(attention.query(numbers), keys.flatten(2)) / math.sqrt(features)
    maps = functional.softmax(scores, -1)
    values = images.permute(0, 2, 3, 1).reshape(count, -1, features)
    return torch.bmm(maps, values), maps.view(count, -1, height, width)


def attend(network, images):
    """Return symbols and maps of whole images of 32×128 pixels, in evaluation mode."""
    convolutions, encoder = network.image
    return symbols(network.attention, encoded(encoder, convolutions(images)))

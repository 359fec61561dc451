"""What networks that read back their symbols are fed in tests."""

from __future__ import annotations

import torch


def says(*symbols):
    """Return a feed that gives these symbols to every sample, then ends."""
    said = iter([*symbols, None])

    def feed(features):
        symbol = next(said)
        return None if symbol is None else torch.full((len(features),), symbol)

    return feed

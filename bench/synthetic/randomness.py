"""Random decisions of the generators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Return True with a probability."""
    return bool(rng.random() < probability)


def one_of(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Return one of the items with equal probabilities."""
    return items[int(rng.integers(len(items)))]

"""The two questions that everything rendered asks of chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def happens(rng: np.random.Generator, share: float) -> bool:
    """Return True in a `share` of the calls."""
    return bool(rng.random() < share)


def one_of(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Return one of the items, each as likely as any other."""
    return items[int(rng.integers(len(items)))]

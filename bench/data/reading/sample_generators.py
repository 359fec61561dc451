"""One random generator per sample of an epoch: what its augmentation is drawn from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_EPOCH_BITS, _NUMBER_BITS = 24, 40
_SEED_BITS = 64


def sample_generators(seed: int, epoch: int, numbers: Iterable[int]) -> list[np.random.Generator]:
    """Return a generator for each of some samples.

    Philox (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) has streams that
    are independent for any two keys, and a key holds all three numbers. numpy's seed sequences
    would not do: [1, 2] and [1, 2, 0] are the same stream there.

    Args:
        seed: Below 2⁶⁴.
        epoch: Below 2²⁴.
        numbers: The places of the samples in their split, below 2⁴⁰.
    """
    first = (seed % (1 << _SEED_BITS)) << _SEED_BITS | (epoch % (1 << _EPOCH_BITS)) << _NUMBER_BITS
    return [np.random.Generator(np.random.Philox(key=first + number)) for number in numbers]

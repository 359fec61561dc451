"""One random generator per sample and epoch, from which its augmentation is drawn."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_EPOCH_BITS, _NUMBER_BITS = 24, 40
_SEED_BITS = 64


def sample_generators(seed: int, epoch: int, numbers: Iterable[int]) -> list[np.random.Generator]:
    """Return one generator per sample, keyed by seed, epoch and sample.

    Streams of Philox are independent for any two keys. Seed sequences of numpy are not used,
    because [1, 2] and [1, 2, 0] give the same stream.

    Args:
        seed: The seed of the training, below 2⁶⁴.
        epoch: The number of the epoch, below 2²⁴.
        numbers: The indices of the samples in their split, below 2⁴⁰.

    Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011).
    """
    first = (seed % (1 << _SEED_BITS)) << _SEED_BITS | (epoch % (1 << _EPOCH_BITS)) << _NUMBER_BITS
    return [np.random.Generator(np.random.Philox(key=first + number)) for number in numbers]

"""Augmentations by name: what is drawn at random for each sample in training.

A recipe names one of them. What is drawn depends on the seed, the epoch and the batch alone.
"""

from __future__ import annotations

from bench.core.errors import BenchError, did_you_mean
from bench.data.augmentation.augmentation import Augmentation
from bench.data.augmentation.clip_augmentation import SignLanguageAugmentation

__all__ = ["AUGMENTATIONS", "NO_AUGMENTATION", "Augmentation", "find_augmentation"]

NO_AUGMENTATION = Augmentation()
AUGMENTATIONS: dict[str, Augmentation] = {
    augmentation.name: augmentation
    for augmentation in (NO_AUGMENTATION, SignLanguageAugmentation())
}


def find_augmentation(name: str) -> Augmentation:
    """Return the augmentation called `name`. Raises BenchError with the nearest name."""
    if name not in AUGMENTATIONS:
        raise BenchError(f"there is no augmentation '{name}'{did_you_mean(name, AUGMENTATIONS)}")
    return AUGMENTATIONS[name]

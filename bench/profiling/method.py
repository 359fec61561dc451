"""What a profile is the profile of. Raise `METHOD` when figures of before and after differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.profiling.hardware import Hardware
    from bench.trials.grid import Trial
    from bench.trials.store import Profile

METHOD = 1
BATCHES = (1, 24)


def spec(trial: Trial, shape: Sequence[int], classes: int, hardware: Hardware) -> dict[str, Any]:
    """Return all that decides the figures, as JSON values; a profile's key is their hash.

    `shape` is that of one input: T, channels, H, W of a clip, or channels, H, W of an image.
    `classes` counts the blank.
    """
    return {
        "model": trial.spec["model"],
        "loss": trial.spec["loss"],
        "input": list(shape),
        "classes": classes,
        "decoder": trial.protocol.decoder,
        "hardware": asdict(hardware),
        "method": METHOD,
    }


def covers(profile: Profile, spec: dict[str, Any]) -> bool:
    """Say whether `profile` holds, on its hardware, for the trials of `spec` (any seed)."""
    return (
        profile.spec["method"] == METHOD
        and profile.spec["model"] == spec["model"]
        and profile.spec["loss"] == spec["loss"]
        and profile.spec["decoder"] == spec["protocol"]["decoder"]
        and spec["dataset"] in profile.datasets
    )

"""What decides the latencies of a profile. Raise `METHOD` where old and new ones do not compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Profile
    from bench.trials.specs import Evaluation

METHOD = 2
BATCHES = (1, 24)
"""Samples per batch: one as it arrives, and a batch that keeps a machine busy."""
_OF_TRAINING = ("data", "alphabet", "input")


def spec(
    evaluation: Evaluation, shape: Sequence[int], classes: int, hardware: Hardware
) -> dict[str, Any]:
    """Return all that decides the latencies, as JSON values; a profile's key is their hash.

    Args:
        evaluation: Whose model, loss and decoder are measured.
        shape: Of one input: T, channels, H, W of a clip, or channels, H, W of an image.
        classes: The number of classes of the classifier, with class 0.
        hardware: What they are measured on.
    """
    training = evaluation.training.spec
    return {
        "model": training["model"],
        "loss": training["loss"],
        "decoder": evaluation.spec["decoder"],
        "input": [*shape],
        "classes": classes,
        "hardware": hardware.spec(),
        "method": METHOD,
    }


def reading_conditions(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what decides the shape of the input and the classes before any data are read.

    These are the test set, the input, and the training data with their alphabet. Several of them
    may lead to the same shape and classes, and then to the same profile.
    """
    return {"test": evaluation_spec["test"]} | {key: training_spec[key] for key in _OF_TRAINING}


def covers(
    profile: Profile, evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any]
) -> bool:
    """Return whether `profile` holds, on its hardware, for an evaluation of any seed and recipe.

    Args:
        profile: A profile of any hardware.
        evaluation_spec: The spec of the evaluation or of its record.
        training_spec: The spec of its training.
    """
    return (
        profile.spec["method"] == METHOD
        and profile.spec["model"] == training_spec["model"]
        and profile.spec["loss"] == training_spec["loss"]
        and profile.spec["decoder"] == evaluation_spec["decoder"]
        and reading_conditions(evaluation_spec, training_spec) in profile.tests
    )

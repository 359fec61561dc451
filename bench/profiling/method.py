"""What decides the latencies of a profile. Raise `METHOD` where old and new ones do not compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Profile
    from bench.trials.specs import RecognizerEvaluation, TrainedEvaluation

METHOD = 2
BATCH_SIZES = (1, 24)
"""Samples per batch: one as it arrives, and a batch that keeps a machine busy."""
_OF_TRAINING = ("data", "alphabet", "input")


def profile_spec(
    evaluation: TrainedEvaluation, shape: Sequence[int], classes: int, hardware: Hardware
) -> dict[str, Any]:
    """Return all that decides the latencies, as JSON values; a profile's key is their hash.

    Args:
        evaluation: Whose model, loss and decoder are measured.
        shape: Of one input: T, channels, H, W of a clip, or channels, H, W of an image.
        classes: The number of classes of the classifier, with class 0.
        hardware: What they are measured on.
    """
    return {
        **_measured(evaluation.spec, evaluation.training.spec),
        "input": [*shape],
        "classes": classes,
        "hardware": hardware.spec(),
        "method": METHOD,
    }


def recognizer_profile_spec(evaluation: RecognizerEvaluation, hardware: Hardware) -> dict[str, Any]:
    """Return all that decides the latencies of a recognizer from outside, as JSON values."""
    return {
        **_measured(evaluation.spec, None),
        "test": evaluation.spec["test"],
        "hardware": hardware.spec(),
        "method": METHOD,
    }


def profile_group(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what is the same for all evaluations that one profile covers."""
    conditions = reading_conditions(evaluation_spec, training_spec)
    return {**_measured(evaluation_spec, training_spec), "conditions": conditions}


def reading_conditions(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what decides the shape of the input and the classes before any data are read.

    These are the test set and, of a training, the input and the training data with their alphabet.
    Several of them may lead to the same shape and classes, and then to the same profile.
    """
    trained = {key: training_spec[key] for key in _OF_TRAINING} if training_spec else {}
    return {"test": evaluation_spec["test"]} | trained


def profile_covers(
    profile: Profile,
    evaluation_spec: Mapping[str, Any],
    training_spec: Mapping[str, Any] | None,
) -> bool:
    """Return whether `profile` holds, on its hardware, for an evaluation of any seed and recipe.

    Args:
        profile: A profile of any hardware.
        evaluation_spec: The spec of the evaluation or of its record.
        training_spec: The spec of its training; None where bench trained nothing.
    """
    measured = _measured(evaluation_spec, training_spec)
    return (
        profile.spec["method"] == METHOD
        and all(profile.spec.get(part) == spec for part, spec in measured.items())
        and reading_conditions(evaluation_spec, training_spec) in profile.tests
    )


def _measured(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the specs of what is measured: of a model, a loss and a decoder, or a recognizer."""
    if training_spec is None:
        return {"recognizer": evaluation_spec["recognizer"]}
    return {
        "model": training_spec["model"],
        "loss": training_spec["loss"],
        "decoder": evaluation_spec["decoder"],
    }

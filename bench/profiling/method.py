"""The specs of profiles: everything on which their latencies depend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.profiling.hardware import Hardware
    from bench.trials.records import Profile
    from bench.trials.specs import RecognizerEvaluation, TrainedEvaluation

METHOD = 2
"""The version of the method. Raise it when new latencies are not comparable with old ones."""
BATCH_SIZES = (1, 24)
"""Samples per batch: one, as for a user who waits, and a batch that keeps a machine busy."""
_TRAINING_KEYS = ("data", "alphabet", "input")


def profile_spec(
    evaluation: TrainedEvaluation, shape: Sequence[int], classes: int, hardware: Hardware
) -> dict[str, Any]:
    """Return everything on which the latencies of a network depend, as JSON values.

    The key of a profile is the hash of its spec.

    Args:
        evaluation: The evaluation with the model, loss and decoder.
        shape: The shape of one input: (T, channels, H, W) of a clip, (channels, H, W) of an image.
        classes: The number of classes of the classifier, including class 0.
        hardware: The hardware.
    """
    return {
        **_component_specs(evaluation.spec, evaluation.training.spec),
        "input": [*shape],
        "classes": classes,
        "hardware": hardware.spec(),
        "method": METHOD,
    }


def recognizer_profile_spec(evaluation: RecognizerEvaluation, hardware: Hardware) -> dict[str, Any]:
    """Return everything on which the latencies of a recognizer from outside depend."""
    return {
        **_component_specs(evaluation.spec, None),
        "test": evaluation.spec["test"],
        "hardware": hardware.spec(),
        "method": METHOD,
    }


def profile_group(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return a spec that is equal for evaluations of which only one is measured.

    Args:
        evaluation_spec: The spec of the evaluation or of its record.
        training_spec: The spec of its training; None for a recognizer from outside.
    """
    conditions = reading_conditions(evaluation_spec, training_spec)
    return {**_component_specs(evaluation_spec, training_spec), "conditions": conditions}


def reading_conditions(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return everything on which the shape of the input and the classes depend.

    These are the test set and, for a network, the input and the training data with their alphabet.
    They are known before data are read. Different conditions may give the same shape and classes,
    and then share a profile.
    """
    trained = {key: training_spec[key] for key in _TRAINING_KEYS} if training_spec else {}
    return {"test": evaluation_spec["test"]} | trained


def profile_covers(
    profile: Profile,
    evaluation_spec: Mapping[str, Any],
    training_spec: Mapping[str, Any] | None,
) -> bool:
    """Return whether a profile is valid, on its hardware, for an evaluation.

    The seed and the recipe of the evaluation do not matter.

    Args:
        profile: A profile on any hardware.
        evaluation_spec: The spec of the evaluation or of its record.
        training_spec: The spec of its training; None for a recognizer from outside.
    """
    components = _component_specs(evaluation_spec, training_spec)
    return (
        profile.spec["method"] == METHOD
        and all(profile.spec.get(part) == spec for part, spec in components.items())
        and reading_conditions(evaluation_spec, training_spec) in profile.tests
    )


def _component_specs(
    evaluation_spec: Mapping[str, Any], training_spec: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the specs of the measured components: model, loss and decoder, or a recognizer."""
    if training_spec is None:
        return {"recognizer": evaluation_spec["recognizer"]}
    return {
        "model": training_spec["model"],
        "loss": training_spec["loss"],
        "decoder": evaluation_spec["decoder"],
    }

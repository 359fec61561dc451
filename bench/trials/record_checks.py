"""Consistency checks between the fields of a record, such as its key and its spec."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

import msgspec

from bench.core.hashing import digest
from bench.core.schema import NonNegativeInt, PositiveInt
from bench.trials.records import (
    EvaluationRecord,
    Failure,
    Feasibility,
    Profile,
    TrainingRecord,
)


class _Named(TypedDict):
    name: str


class _Component(_Named):
    version: Any
    parameters: dict[str, Any]


class _Recipe(TypedDict):
    batch_size: PositiveInt
    select: NotRequired[Literal["best", "last"]]


class _Training(TypedDict):
    data: list[_Named]
    alphabet: _Named | None
    input: dict[str, Any]
    model: _Component
    loss: _Component
    recipe: _Recipe
    seed: NonNegativeInt
    threads: NonNegativeInt
    devices: NotRequired[PositiveInt]


class _Test(_Named):
    fingerprints: dict[str, str]


class _Evaluation(TypedDict):
    recognizer: dict[str, Any]
    test: _Test
    protocol: _Named
    metrics: dict[str, Any]


class _TrainedBy(TypedDict):
    training: str


class _Decoded(TypedDict):
    decoder: _Component


class _Profile(TypedDict):
    hardware: dict[str, Any]
    method: int


def check(document: object) -> None:
    """Raise ValueError if the fields of a document of the store contradict each other."""
    if isinstance(document, TrainingRecord | EvaluationRecord | Failure | Profile | Feasibility):
        given = digest(document.spec)
        if given != document.key:
            raise ValueError(f"its key is {document.key}, its spec gives {given}")
    match document:
        case TrainingRecord():
            _check_training(document)
        case EvaluationRecord():
            _check_evaluation(document)
        case Profile():
            _check_spec(document.spec, _Profile)
        case Feasibility():
            if document.infeasible > document.samples or (
                document.infeasible and not document.examples
            ):
                raise ValueError("it has more infeasible samples than samples or examples")


def _check_training(record: TrainingRecord) -> None:
    _check_spec(record.spec, _Training)
    _check_labels(record.labels, {"data", "model", "loss"})
    if record.seed != record.spec["seed"]:
        raise ValueError(f"its seed is {record.seed}, its spec gives {record.spec['seed']}")
    steps = [point.step for point in record.curve]
    if not steps or steps != sorted({*steps}):
        raise ValueError("the steps of its curve do not rise from one to the next")
    if record.selected_step not in steps:
        raise ValueError(f"its selected step, {record.selected_step}, is not one of its curve")


def _check_evaluation(record: EvaluationRecord) -> None:
    _check_spec(record.spec, _Evaluation)
    if "training" in record.spec["recognizer"]:
        _check_spec(record.spec["recognizer"], _TrainedBy)
        _check_spec(record.spec, _Decoded)
        _check_labels(record.labels, {"test", "model", "loss", "decoder"})
    else:
        _check_labels(record.labels, {"test", "recognizer"})
    if unknown := sorted(record.scores.keys() - record.spec["metrics"].keys()):
        raise ValueError(f"it has a score by '{unknown[0]}', which is no metric of its spec")


def _check_labels(labels: dict[str, str], names: set[str]) -> None:
    if labels.keys() != names:
        raise ValueError(f"its labels are not those of {', '.join(sorted(names))}")


def _check_spec(spec: dict[str, Any], kind: Any) -> None:  # noqa: ANN401 (a TypedDict)
    try:
        msgspec.convert(spec, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"in its spec: {error}") from None

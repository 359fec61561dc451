"""Trainings and evaluations, each with a key that hashes everything that affects its results."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.core.hashing import digest
from bench.evaluation.metrics import metric

if TYPE_CHECKING:
    from bench.config.recipe import Recipe, Resources
    from bench.config.suite import Entry
    from bench.core.components import Component, Dataset, Decoder, Loss, Model, Recognizer
    from bench.core.model_input import Input
    from bench.core.types import Split
    from bench.evaluation.protocols import Protocol

Kind = Literal["training", "evaluation"]


@dataclass(frozen=True)
class Training:
    """The training of one network with one seed.

    Test sets, protocols and decoders are not part of it, so that several evaluations share it.

    Attributes:
        data: The data sets whose union it trains on and validates with.
        input: How pixels become tensors.
        model: The architecture.
        loss: The loss, with its classifier.
        recipe: How it is trained.
        seed: The seed from which all random numbers are derived.
        resources: The resources that it reserves; the number of threads is part of the key.
        alphabet: The protocol whose characters are learned; None for the characters of the data.
    """

    kind: ClassVar[Kind] = "training"

    data: tuple[Dataset, ...]
    input: Input
    model: Model
    loss: Loss
    recipe: Recipe
    seed: int
    resources: Resources
    alphabet: Protocol | None = None

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that affects the weights, as JSON values; the key is their hash."""
        return _json(
            {
                "data": [_data_spec(data, "train", "validation") for data in self.data],
                "alphabet": _alphabet_spec(self.alphabet) if self.alphabet else None,
                "input": self.input.spec(),
                "model": self.model.spec(),
                "loss": self.loss.spec(),
                "recipe": self.recipe.spec(),
                "seed": self.seed,
                "threads": self.resources.cpus,
                **({"devices": devices} if (devices := self.resources.devices) > 1 else {}),
            }
        )

    @cached_property
    def key(self) -> str:
        """The hash of the spec, of 16 hexadecimal digits."""
        return digest(self.spec)

    @property
    def training(self) -> Training:
        """The training itself, so that all tasks have this property."""
        return self

    def with_resources(self, resources: Resources) -> Training:
        """Return this training with other resources."""
        return replace(self, resources=resources)

    @property
    def labels(self) -> dict[str, str]:
        """The display names of its components."""
        return {
            "data": " + ".join(data.label for data in self.data),
            "model": self.model.label,
            "loss": self.loss.label,
        }

    @property
    def components(self) -> tuple[Component, ...]:
        """The components whose code decides its numbers."""
        augmentation = self.recipe.augmentation
        return (*self.data, self.model, self.loss, *([augmentation] if augmentation else []))

    @property
    def path(self) -> PurePosixPath:
        """Its folder below the results."""
        name = f"seed{self.seed}-{self.key}"
        return PurePosixPath("trainings", self.model.name, self.loss.name, name)

    def named_seed(self, purpose: str) -> int:
        """Return a seed in [0, 2⁶³) for one purpose, such as `weights`, independent of others."""
        return named_seed(self.seed, purpose)


@dataclass(frozen=True)
class Evaluation(ABC):
    """The evaluation of a network or recognizer on a test split, scored under a protocol.

    Attributes:
        test: The data set whose test split is read.
        protocol: The scoring rules and metrics.
    """

    kind: ClassVar[Kind] = "evaluation"

    test: Dataset
    protocol: Protocol

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Everything that affects the scores, as JSON values; the key is their hash."""
        return _json(
            {
                **self._reader_spec(),
                "test": _data_spec(self.test, "test"),
                "protocol": self.protocol.spec(),
                "metrics": {
                    name: metric.find_metric(name).spec() for name in self.protocol.metrics
                },
            }
        )

    @cached_property
    def key(self) -> str:
        """The hash of the spec, of 16 hexadecimal digits."""
        return digest(self.spec)

    @property
    def labels(self) -> dict[str, str]:
        """The display names of its components."""
        return {"test": self.test.label, **self._reader_labels()}

    @property
    def path(self) -> PurePosixPath:
        """Its folder below the results."""
        name = f"seed{self.seed}-{self.key}"
        return PurePosixPath("evaluations", self.test.name, *self._reader_folders(), name)

    if TYPE_CHECKING:
        # Subclasses have them as fields or properties; at run time, a property of this class would
        # be the default of such a field.
        @property
        def training(self) -> Training | None:
            """The training that has to be done before; None if nothing is trained."""

        @property
        def seed(self) -> int:
            """The seed of its training; 0 if nothing is trained."""

        @property
        def resources(self) -> Resources:
            """The resources that it reserves, on one device."""

    @abstractmethod
    def with_resources(self, resources: Resources) -> Evaluation:
        """Return this evaluation with other resources."""

    @property
    @abstractmethod
    def components(self) -> tuple[Component, ...]:
        """The components whose code decides its numbers."""

    @abstractmethod
    def _reader_spec(self) -> dict[str, Any]:
        """Return what affects the readings besides the test set: the parts of the recognizer."""

    @abstractmethod
    def _reader_labels(self) -> dict[str, str]:
        """Return the display names of the parts of the recognizer."""

    @abstractmethod
    def _reader_folders(self) -> tuple[str, str]:
        """Return the names of the two folders below that of the test set."""


@dataclass(frozen=True)
class TrainedEvaluation(Evaluation):
    """The evaluation of a training's weights, with a decoder.

    Attributes:
        training: The training whose weights are evaluated.
        decoder: Turns the classifier's output into labels.
    """

    training: Training
    decoder: Decoder

    @property
    def seed(self) -> int:
        """The seed of its training."""
        return self.training.seed

    @property
    def resources(self) -> Resources:
        """The resources of its training, on one device."""
        return replace(self.training.resources, devices=1)

    def with_resources(self, resources: Resources) -> TrainedEvaluation:
        """Return this evaluation with other resources; its training keeps its devices."""
        devices = self.training.resources.devices
        training = self.training.with_resources(replace(resources, devices=devices))
        return replace(self, training=training)

    @property
    def components(self) -> tuple[Component, ...]:
        """The components whose code decides its numbers."""
        return (self.test, self.decoder, self.training.model, self.training.loss)

    def _reader_spec(self) -> dict[str, Any]:
        return {"recognizer": {"training": self.training.key}, "decoder": self.decoder.spec()}

    def _reader_labels(self) -> dict[str, str]:
        labels = self.training.labels
        return {
            "model": labels["model"],
            "loss": labels["loss"],
            "decoder": self.decoder.label,
        }

    def _reader_folders(self) -> tuple[str, str]:
        return self.training.model.name, self.training.loss.name


@dataclass(frozen=True)
class RecognizerEvaluation(Evaluation):
    """The evaluation of a recognizer from outside bench.

    Attributes:
        recognizer: The recognizer.
        resources: The resources that it reserves. Batch size and number of threads are part of the
            key, unless the recognizer only returns predictions that others have made.
    """

    recognizer: Recognizer
    resources: Resources

    training: ClassVar[None] = None
    seed: ClassVar[int] = 0

    def with_resources(self, resources: Resources) -> RecognizerEvaluation:
        """Return this evaluation with other resources."""
        return replace(self, resources=resources)

    @property
    def components(self) -> tuple[Component, ...]:
        """The components whose code decides its numbers."""
        return (self.test, self.recognizer)

    def _reader_spec(self) -> dict[str, Any]:
        spec = self.recognizer.spec()
        if self.recognizer.origin == "pretrained":
            resources = self.resources
            spec |= {"batch_size": resources.batch_size, "threads": resources.cpus}
        return {"recognizer": spec}

    def _reader_labels(self) -> dict[str, str]:
        return {"recognizer": self.recognizer.label}

    def _reader_folders(self) -> tuple[str, str]:
        return self.recognizer.name, self.recognizer.origin


Task = Training | Evaluation
"""A training or an evaluation, which an executor runs."""


@dataclass(frozen=True)
class Trial:
    """One entry of a suite with one seed: its trainings and evaluations.

    Attributes:
        entry: The row of the board.
        seed: The seed; 0 for a recognizer from outside bench, which has a single trial.
        evaluations: The evaluation for each column of the suite, by the column's name.
    """

    entry: Entry
    seed: int
    evaluations: dict[str, Evaluation]

    @property
    def trainings(self) -> list[Training]:
        """The trainings behind the evaluations, each once."""
        # Not by their keys, which are unknown where data are not prepared.
        trainings = (each.training for each in self.evaluations.values() if each.training)
        return [*dict.fromkeys(trainings)]

    @property
    def tasks(self) -> list[Task]:
        """The tasks of the trial: trainings, then evaluations."""
        return [*self.trainings, *self.evaluations.values()]


def named_seed(seed: int, purpose: str) -> int:
    """Return a seed in [0, 2⁶³) derived from `seed` for one purpose."""
    content = f"{seed}/{purpose}".encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def _data_spec(data: Dataset, *splits: Split) -> dict[str, Any]:
    # A set without a validation split holds out some of its training samples as one.
    there = [split for split in splits if split in data.splits()]
    return data.spec() | {"fingerprints": {split: data.fingerprint(split) for split in there}}


def _alphabet_spec(alphabet: Protocol) -> dict[str, Any]:
    """Return the spec of the protocol of an alphabet, without the metric that boards rank by."""
    return {key: value for key, value in alphabet.spec().items() if key != "ranked_by"}


def _json(spec: dict[str, Any]) -> dict[str, Any]:
    """Return `spec` as it is when read from a record: tuples become lists."""
    return dict(json.loads(json.dumps(spec)))

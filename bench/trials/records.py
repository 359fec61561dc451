"""What tasks leave on disk, as typed documents: trainings, evaluations, failures, profiles.

Types have the bounds that a number must be within, and `record_checks` what several fields must be
together. Both are checked where a document is decoded (`bench.trials.store.parse`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from bench.core.printable import in_one_line
from bench.core.schema import NonNegativeFloat, NonNegativeInt, PositiveInt
from bench.trials.provenance import Provenance

SCHEMA = 3
Key = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
"""The hash of a spec (`bench.core.hashing.digest`)."""
FileName = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\.[a-z]+$")]
"""The name of a file beside a record; it leads to no other folder."""
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Cause = Literal["configuration", "error", "out of memory", "timeout", "lost node", "lost worker"]


@dataclass(frozen=True)
class CurvePoint:
    """One point of a training curve: a validation.

    Attributes:
        step: How many steps (updates of the weights) came before it.
        epoch: The same in epochs.
        loss: The mean over the batches since the last point.
        learning_rate: That of the last step.
        validation_ler: The label error rate on the validation split: edits of greedily decoded
            labels over target labels (Graves et al., ICML 2006).
        infeasible: Training samples since the last point whose target is longer than the output;
            they add nothing.
    """

    step: PositiveInt
    epoch: NonNegativeFloat
    loss: float
    learning_rate: NonNegativeFloat
    validation_ler: NonNegativeFloat
    infeasible: NonNegativeInt = 0


@dataclass(frozen=True)
class Parameters:
    """Number of weights of model and classifier."""

    total: NonNegativeInt
    trainable: NonNegativeInt


@dataclass(frozen=True)
class Attempt:
    """A failed attempt at a task.

    Attributes:
        cause: The kind of fault.
        message: What was raised, in one line.
        finished: The time, in UTC.
        where: The file and line that raised it, like `my_loss.py:31`; None where that says nothing.
    """

    cause: Cause
    message: str
    finished: str
    where: str | None = None

    @property
    def reason(self) -> str:
        """The message, and where it was raised, in one line of bounded length."""
        message = in_one_line(self.message)
        return f"{message} ({in_one_line(self.where)})" if self.where else message


@dataclass(frozen=True)
class TrainingTimings:
    """Seconds of wall time; training and validation count all attempts that were resumed."""

    data: NonNegativeFloat
    training: NonNegativeFloat
    validation: NonNegativeFloat

    @property
    def total(self) -> float:
        """The sum of all."""
        return self.data + self.training + self.validation


@dataclass(frozen=True)
class Acceptance:
    """How a record came here that was made elsewhere.

    Attributes:
        by: Who ran it, as they are called on boards.
        pack: The SHA-256 of the pack that it came in.
        accepted: The time, in UTC.
        missing: The files beside the record that the pack did not have.
    """

    by: str
    pack: str
    accepted: str
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingRecord:
    """What a finished training left.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that decides the weights.
        labels: Names of its parts for people.
        seed: Its seed.
        vocabulary: The token of each class from 1; class 0 is blank or end of sequence.
        input_shape: Channels, height and width of one frame or image; 0 where widths differ.
        curve: One point per validation.
        selected_step: The step after which the kept weights were validated.
        parameters: The number of weights.
        timings: Seconds of wall time.
        provenance: Commit, packages, hardware.
        files: The SHA-256 of each file beside the record.
        attempts: Attempts of the same run that failed before.
        peak_memory: The most bytes that its tensors took on the GPU at once, in the last attempt;
            None on a CPU.
        trained_on: The devices that computed its steps, in order: "cpu", or names of GPUs. Several
            where it resumed on another device; `provenance` describes the last one.
        accepted: By whom it was run elsewhere; None where it was run here.
        schema: The version of this document.
    """

    key: Key
    spec: dict[str, Any]
    labels: dict[str, str]
    seed: NonNegativeInt
    vocabulary: list[str]
    input_shape: Annotated[list[NonNegativeInt], msgspec.Meta(min_length=3, max_length=3)]
    curve: list[CurvePoint]
    selected_step: PositiveInt
    parameters: Parameters
    timings: TrainingTimings
    provenance: Provenance
    files: dict[FileName, Sha256]
    attempts: list[Attempt] = field(default_factory=list)
    peak_memory: NonNegativeInt | None = None
    trained_on: list[str] = field(default_factory=list)
    accepted: Acceptance | None = None
    schema: int = SCHEMA

    @property
    def seconds(self) -> float:
        """Wall time of all of it."""
        return self.timings.total

    @property
    def selected(self) -> CurvePoint:
        """The point of the curve whose weights are kept."""
        return next(point for point in self.curve if point.step == self.selected_step)

    @property
    def gpu_seconds(self) -> float | None:
        """Seconds of training and validation times the GPUs that it is charged; None on a CPU."""
        if self.provenance.gpu is None:
            return None
        return (self.timings.training + self.timings.validation) * self.provenance.charged_gpus


@dataclass(frozen=True)
class EvaluationRecord:
    """What a finished evaluation left.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that decides the scores.
        labels: Names of its parts for people.
        seed: The seed of the training; 0 without one.
        scores: Each metric of the protocol that is defined for this test set, by name.
        samples: How many samples were scored.
        excluded: How many were not, by reason.
        dropped: How often the protocol dropped each character from a transcript.
        seconds: Wall time of reading the data and the test split.
        provenance: Commit, packages, hardware.
        files: The SHA-256 of each file beside the record.
        attempts: Attempts of the same run that failed before.
        parameters: The number of weights of a recognizer from outside; None where it is unknown,
            and of a training, whose record has it.
        price: What reading the split cost in US dollars; None where it has no price.
        remarks: How many readings there are of each kind that a person should know of.
        alphabet: The characters that the recognizer can read; None where they are unknown.
        accepted: By whom it was run elsewhere; None where it was run here.
        schema: The version of this document.
    """

    key: Key
    spec: dict[str, Any]
    labels: dict[str, str]
    seed: NonNegativeInt
    scores: dict[str, float]
    samples: PositiveInt
    excluded: dict[str, NonNegativeInt]
    dropped: dict[str, NonNegativeInt]
    seconds: NonNegativeFloat
    provenance: Provenance
    files: dict[FileName, Sha256]
    attempts: list[Attempt] = field(default_factory=list)
    parameters: NonNegativeInt | None = None
    price: NonNegativeFloat | None = None
    remarks: dict[str, NonNegativeInt] = field(default_factory=dict)
    alphabet: str | None = None
    accepted: Acceptance | None = None
    schema: int = SCHEMA

    @property
    def training(self) -> str | None:
        """The key of the training whose weights were evaluated; None where bench trained none."""
        key = self.spec["recognizer"].get("training")
        return None if key is None else str(key)


@dataclass(frozen=True)
class Feasibility:
    """How many training samples have a target longer than the output of a network.

    It is found once for all trainings of the same data, input, model and loss.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that decides it.
        samples: The number of training samples.
        infeasible: How many of them are longer than the output.
        examples: The identities of the first of these.
        schema: The version of this document.
    """

    key: Key
    spec: dict[str, Any]
    samples: NonNegativeInt
    infeasible: NonNegativeInt
    examples: list[str]
    schema: int = SCHEMA


Record = TrainingRecord | EvaluationRecord


@dataclass(frozen=True)
class Failure:
    """Why a task ended without a record: all attempts of one run, the last one last."""

    key: Key
    spec: dict[str, Any]
    labels: dict[str, str]
    seed: NonNegativeInt
    attempts: Annotated[list[Attempt], msgspec.Meta(min_length=1)]
    schema: int = SCHEMA

    @property
    def cause(self) -> Cause:
        """The cause of the last attempt."""
        return self.attempts[-1].cause

    @property
    def message(self) -> str:
        """The message of the last attempt."""
        return self.attempts[-1].message

    @property
    def reason(self) -> str:
        """The message of the last attempt, and where it was raised."""
        return self.attempts[-1].reason


@dataclass(frozen=True)
class Latency:
    """One latency at one batch size.

    Attributes:
        batch: Samples per batch.
        decoded: Whether it reaches to labels; else it ends at logits.
        p50: The median in milliseconds, by nearest rank.
        p90: The 90th percentile in milliseconds, by nearest rank.
        valid: Whether it may be shown.
        reason: Why it may not be.
        milliseconds: The raw samples, in order.
        peak_memory: The most bytes that tensors took on the GPU at once, weights and inputs
            included; None on a CPU.
        clocks: The GPU's SM clock in MHz before and after the samples; empty where it is unknown.
    """

    batch: PositiveInt
    decoded: bool
    p50: NonNegativeFloat
    p90: NonNegativeFloat
    valid: bool
    reason: str
    milliseconds: list[NonNegativeFloat]
    peak_memory: NonNegativeInt | None = None
    clocks: list[NonNegativeInt] = field(default_factory=list)


@dataclass(frozen=True)
class Throughput:
    """How many samples a network reads per second at the smallest batch that fills the device.

    Attributes:
        batch: Samples per batch.
        samples_per_second: From inputs on the device to logits.
        valid: Whether it may be shown.
        reason: Why it may not be.
        tried: Samples per second at each batch size that was tried.
        peak_memory: As of a `Latency`.
    """

    batch: PositiveInt
    samples_per_second: NonNegativeFloat
    valid: bool
    reason: str
    tried: dict[str, NonNegativeFloat]
    peak_memory: NonNegativeInt | None = None


@dataclass(frozen=True)
class Profile:
    """What a model with a loss's classifier and a decoder costs at one input shape on one machine.

    Attributes:
        key: The hash of `spec`.
        spec: All that decides the latencies.
        labels: Names of its parts for people.
        tests: The test sets that lead to this input shape and these classes, each with its input
            and training data (`bench.profiling.method.reading_conditions`).
        hardware: One line that names the machine; profiles of equal lines are comparable.
        parameters: The number of weights; None where it is unknown.
        macs: Multiply-accumulates of a forward pass of one sample; None where they are unknown.
        weights: The key of the training that the weights are from; None where untrained.
        latencies: At each batch size, to logits and to labels.
        provenance: Commit, packages, hardware.
        throughput: At a batch that fills the GPU; None on a CPU, and where no batch fits.
        schema: The version of this document.
    """

    key: Key
    spec: dict[str, Any]
    labels: dict[str, str]
    tests: list[dict[str, Any]]
    hardware: str
    parameters: Parameters | None
    macs: NonNegativeInt | None
    weights: str | None
    latencies: list[Latency]
    provenance: Provenance
    throughput: Throughput | None = None
    schema: int = SCHEMA

    @property
    def valid(self) -> bool:
        """Whether all of its figures are; those that are not are measured again."""
        read = self.throughput is None or self.throughput.valid
        return read and all(latency.valid for latency in self.latencies)

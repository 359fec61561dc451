"""The documents that tasks write: records of trainings and evaluations, failures, profiles.

Types give the bounds of single numbers, and `record_checks` compares several fields. Both are
checked when a document is decoded (`bench.trials.store.parse`).
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
"""The name of a file beside a record, without a path."""
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Cause = Literal["configuration", "error", "out of memory", "timeout", "lost node", "lost worker"]


@dataclass(frozen=True)
class CurvePoint:
    """One point of a training curve: a validation.

    Attributes:
        step: Completed steps (updates of the weights).
        epoch: Completed epochs, as a fraction.
        loss: The mean loss over the batches since the last point.
        learning_rate: The learning rate of the last step.
        validation_ler: The label error rate on the validation split: edits of greedily decoded
            labels over target labels (Graves et al., ICML 2006).
        infeasible: Training samples since the last point whose target is longer than the output;
            they do not contribute to the loss.
    """

    step: PositiveInt
    epoch: NonNegativeFloat
    loss: float
    learning_rate: NonNegativeFloat
    validation_ler: NonNegativeFloat
    infeasible: NonNegativeInt = 0


@dataclass(frozen=True)
class Parameters:
    """The number of weights of model and classifier, in total and trainable."""

    total: NonNegativeInt
    trainable: NonNegativeInt


@dataclass(frozen=True)
class Attempt:
    """A failed attempt at a task.

    Attributes:
        cause: The kind of fault.
        message: The error message, in one line.
        finished: When it failed, in UTC.
        where: The file and line that raised it, like `my_loss.py:31`; None if it is not known.
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
    """Wall time in seconds; training and validation include earlier attempts that were resumed.

    Attributes:
        data: Opening the data and building the network.
        training: All training steps.
        validation: All validations.
    """

    data: NonNegativeFloat
    training: NonNegativeFloat
    validation: NonNegativeFloat

    @property
    def total(self) -> float:
        """The sum of data, training and validation."""
        return self.data + self.training + self.validation


@dataclass(frozen=True)
class Acceptance:
    """The origin of a record that others have made and that was accepted from a pack.

    Attributes:
        by: The name of those who ran the task, as boards print it.
        pack: The SHA-256 of the pack.
        accepted: When it was accepted, in UTC.
        missing: The files of the record that the pack did not have.
    """

    by: str
    pack: str
    accepted: str
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingRecord:
    """The record of a finished training.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that affects the weights.
        labels: Display names of its data, model and loss.
        seed: The seed.
        vocabulary: The token of each class from 1; class 0 is blank or end of sequence.
        input_shape: Channels, height and width of one frame or image; 0 where widths differ.
        curve: One point per validation.
        selected_step: The step whose weights are kept, one of the curve.
        parameters: The number of weights.
        timings: Wall time in seconds.
        provenance: Commit, packages, hardware.
        files: The SHA-256 of each file beside the record.
        attempts: Attempts of the same run that failed before.
        peak_memory: The most bytes that its tensors took on the GPU at once, in the last attempt;
            None on a CPU.
        trained_on: The devices that computed its steps, in order: "cpu", or names of GPUs. It has
            several if it resumed on another device; `provenance` describes the last one.
        accepted: Who ran it, if it was accepted from a pack; None if it was run here.
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
        """The wall time of the task in seconds."""
        return self.timings.total

    @property
    def selected(self) -> CurvePoint:
        """The point of the curve whose weights are kept."""
        return next(point for point in self.curve if point.step == self.selected_step)

    @property
    def gpu_seconds(self) -> float | None:
        """Seconds of training and validation times `charged_gpus`; None on a CPU."""
        if self.provenance.gpu is None:
            return None
        return (self.timings.training + self.timings.validation) * self.provenance.charged_gpus


@dataclass(frozen=True)
class EvaluationRecord:
    """The record of a finished evaluation.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that affects the scores.
        labels: Display names of its components.
        seed: The seed of the training; 0 without one.
        scores: The score by each metric of the protocol that is defined for this test set.
        samples: How many samples were scored.
        excluded: How many samples were not scored, by reason.
        dropped: How often the protocol dropped each character from a transcript.
        seconds: The wall time of the task.
        provenance: Commit, packages, hardware.
        files: The SHA-256 of each file beside the record.
        attempts: Attempts of the same run that failed before.
        parameters: The number of weights of a recognizer from outside bench; None if it is unknown,
            and for trained weights, whose training's record has it.
        price: What reading the split cost in US dollars; None if it has no price.
        remarks: How many readings have each remark of the recognizer, such as `missing`.
        alphabet: The characters that the recognizer can read; None if they are unknown.
        accepted: Who ran it, if it was accepted from a pack; None if it was run here.
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
        """The key of the training whose weights were evaluated; None for other recognizers."""
        key = self.spec["recognizer"].get("training")
        return None if key is None else str(key)


@dataclass(frozen=True)
class Feasibility:
    """How many training samples have a target longer than the output of a network.

    It is counted once for all trainings of the same data, alphabet, input, model and loss.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that affects the counts.
        samples: The number of training samples.
        infeasible: The number of training samples whose target is longer than the output.
        examples: The ids of the first of these.
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
    """The failure of a task: all failed attempts of one run, in order.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that affects the results.
        labels: Display names of its components.
        seed: The seed.
        attempts: The attempts.
        schema: The version of this document.
    """

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
    """The measured latency of a batch, at one batch size.

    Attributes:
        batch: Samples per batch.
        decoded: Whether decoding to labels is included; else the time is that until the logits.
        p50: The median in milliseconds, by nearest rank.
        p90: The 90th percentile in milliseconds, by nearest rank.
        valid: Whether the measurement was undisturbed, so that boards may show it.
        reason: Why it is not valid; empty if it is.
        milliseconds: The raw measurements, in order.
        peak_memory: The most bytes that tensors took on the GPU at once, weights and inputs
            included; None on a CPU.
        clocks: The GPU's SM clock in MHz before and after the measurements; empty if unknown.
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
        samples_per_second: The throughput from inputs on the device to logits.
        valid: Whether the measurement was undisturbed, so that boards may show it.
        reason: Why it is not valid; empty if it is.
        tried: Samples per second at each batch size that was tried.
        peak_memory: The most bytes that tensors took on the GPU at once; None on a CPU.
    """

    batch: PositiveInt
    samples_per_second: NonNegativeFloat
    valid: bool
    reason: str
    tried: dict[str, NonNegativeFloat]
    peak_memory: NonNegativeInt | None = None


@dataclass(frozen=True)
class Profile:
    """The parameters, latencies and throughput of a network or recognizer on one machine.

    Those of a network are of a model with the classifier of a loss and a decoder, at one input
    shape.

    Attributes:
        key: The hash of `spec`.
        spec: Everything that affects the latencies.
        labels: Display names of its components.
        tests: The test sets with this input shape and these classes, each with its input and
            training data (`bench.profiling.method.reading_conditions`).
        hardware: A line that describes the machine; profiles with equal lines are comparable.
        parameters: The number of weights; None if it is unknown.
        macs: Multiply-accumulates of a forward pass of one sample; None if they are unknown.
        weights: The key of the training that the weights are from; None for random weights.
        latencies: The latencies at each batch size, to logits and to labels.
        provenance: Commit, packages, hardware.
        throughput: At a batch that fills the GPU; None on a CPU, and if no batch fits.
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
        """Whether all latencies and the throughput are valid; else they are measured again."""
        read = self.throughput is None or self.throughput.valid
        return read and all(latency.valid for latency in self.latencies)

"""The events of a running task: Started, then Progress and Validated, then Finished or Failed."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

from bench.core.printable import in_one_line
from bench.trials.rank import Rank
from bench.trials.records import Attempt, Failure


@dataclass(frozen=True)
class Started:
    """The task has its device and begins to read its data.

    Attributes:
        device: The device.
        node: The machine.
    """

    device: str
    node: str = field(default_factory=platform.node)


@dataclass(frozen=True)
class Listening:
    """Rank 0 of a data-parallel training waits for the other ranks. Executors start them.

    Attributes:
        rank: Rank 0, with the address at which it listens.
    """

    rank: Rank


@dataclass(frozen=True)
class Infeasible:
    """Training samples whose target is longer than the output: they do not contribute to the loss.

    Attributes:
        count: How many there are.
        samples: How many training samples there are.
        examples: The ids of the first of them.
    """

    count: int
    samples: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Resumed:
    """Training resumes from the checkpoint that an earlier attempt left after this step."""

    step: int
    steps: int


@dataclass(frozen=True)
class Progress:
    """The progress of a training.

    Attributes:
        step: Completed steps: updates of the weights.
        steps: The number of steps; patience may end training sooner.
        epoch: Completed epochs, as a fraction.
        loss: The mean loss since the last validation.
        speed: Samples per second.
        eta: Seconds left, at most.
        validation_ler: The label error rate of the last validation, None before the first.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    speed: float
    eta: float
    validation_ler: float | None

    @property
    def fraction(self) -> float:
        """The share of the steps that is done."""
        return self.step / self.steps


@dataclass(frozen=True)
class Validated:
    """A network in training was validated.

    Attributes:
        number: The number of the validation, from 1.
        step: Completed steps.
        epoch: Completed epochs, as a fraction.
        ler: The label error rate.
        selected: The label error rate of the weights that are selected so far.
    """

    number: int
    step: int
    epoch: float
    ler: float
    selected: float


@dataclass(frozen=True)
class SamplesRead:
    """The progress of a recognizer from outside on a test split.

    Attributes:
        done: Samples read, including those of earlier attempts.
        samples: The number of samples.
        speed: Samples per second.
        eta: Seconds left.
    """

    done: int
    samples: int
    speed: float
    eta: float

    @property
    def fraction(self) -> float:
        """The share of the samples that is read."""
        return self.done / self.samples


@dataclass(frozen=True)
class Finished:
    """The record is written.

    Attributes:
        summary: The scores, or the selected step of a training, in words.
        seconds: The wall time of the task.
    """

    summary: str
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The task ended without a record."""

    failure: Failure


@dataclass(frozen=True)
class HeldElsewhere:
    """Another process works on the task; this one waits for it, or takes it over."""

    holder: str


@dataclass(frozen=True)
class FinishedElsewhere:
    """Another process has written the record."""


@dataclass(frozen=True)
class Cancelled:
    """The user has cancelled the task, which is to do again."""


@dataclass(frozen=True)
class NotRun:
    """An evaluation is not run, because its training ended without weights.

    Attributes:
        cause: How the training ended: `failed` or `was cancelled`.
    """

    cause: str


@dataclass(frozen=True)
class Retried:
    """An attempt failed, and the task was submitted again."""

    attempt: Attempt


Event = (
    Listening
    | Started
    | Infeasible
    | Resumed
    | Progress
    | Validated
    | SamplesRead
    | HeldElsewhere
    | Retried
    | Finished
    | FinishedElsewhere
    | Failed
    | Cancelled
    | NotRun
)
ENDED = (Finished, FinishedElsewhere, Failed, Cancelled, NotRun)
"""The types of the last event of a task in a run."""


def describe(event: Event) -> str:
    """Return an event as one line, for a terminal or a log."""
    return in_one_line(_described(event))


def _described(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912 (one line per event)
    match event:
        case Listening(rank):
            return f"rank 0 of {rank.count} listens at {rank.host}:{rank.port}"
        case Started(device, _):
            return f"started on {device}, reading data"
        case Infeasible(count, samples, examples):
            more = f" and {count - len(examples)} more" if count > len(examples) else ""
            return (
                f"{count} of {samples} training samples have a target longer than the output "
                f"and do not contribute to the loss: {', '.join(examples)}{more}"
            )
        case Resumed(step, steps):
            return f"resumed after step {step} of {steps}"
        case Progress():
            return _progress(event)
        case Validated(_, step, epoch, ler, _):
            return f"step {step}, epoch {epoch:g}, validation LER {ler:.2%}"
        case SamplesRead(done, samples, speed, eta):
            return f"{done:,} of {samples:,} samples, {speed:.1f}/s, {eta:.0f} s left"
        case HeldElsewhere(holder):
            return f"{holder} works on it; waiting"
        case FinishedElsewhere():
            return "done by another process"
        case Cancelled():
            return "cancelled; the next run includes it"
        case NotRun(cause):
            return f"not run, because its training {cause}"
        case Finished(summary, seconds):
            return f"done in {seconds:.1f} s: {summary}"
        case Retried(attempt):
            return f"tried again after {attempt.cause}: {attempt.reason}"
        case Failed(failure):
            return f"failed ({failure.cause}): {failure.reason}"


def _progress(event: Progress) -> str:
    ler = event.validation_ler
    validation = "" if ler is None else f", validation LER {ler:.2%}"
    return (
        f"step {event.step}/{event.steps}, epoch {event.epoch:.1f}, {event.fraction:.0%}, "
        f"loss {event.loss:.4f}, "
        f"{event.speed:.0f} samples/s, {event.eta:.0f} s left{validation}"
    )

"""What a running task reports: Started, then Progress and Validated, then Finished or Failed."""

from __future__ import annotations

from dataclasses import dataclass

from bench.trials.records import Attempt, Failure

_MAX_NAMED = 20


@dataclass(frozen=True)
class Started:
    """The task has its device and begins to read its data."""

    device: str


@dataclass(frozen=True)
class Infeasible:
    """Training samples whose target is longer than the output: they add nothing to a loss."""

    ids: tuple[str, ...]
    samples: int


@dataclass(frozen=True)
class Resumed:
    """Training resumes from the checkpoint that an earlier attempt left after this epoch."""

    epoch: int


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        epoch: The current epoch, from 1.
        epochs: The number of epochs; patience may end training sooner.
        fraction: The share of all steps that is done.
        loss: The mean of the epoch so far.
        speed: Samples per second.
        eta: Seconds left, at most.
        validation_ler: The label error rate of the last finished epoch, None in the first.
    """

    epoch: int
    epochs: int
    fraction: float
    loss: float
    speed: float
    eta: float
    validation_ler: float | None


@dataclass(frozen=True)
class Validated:
    """An epoch has ended; `selected` is the label error rate of the epoch selected so far."""

    epoch: int
    ler: float
    selected: float


@dataclass(frozen=True)
class Finished:
    """The record is written; `summary` names its scores."""

    summary: str
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The task ended without a record."""

    failure: Failure


@dataclass(frozen=True)
class Retried:
    """An attempt failed, and the task was submitted again."""

    attempt: Attempt


Event = Started | Infeasible | Resumed | Progress | Validated | Retried | Finished | Failed


def describe(event: Event) -> str:  # noqa: PLR0911 (one line per event)
    """Return an event as one line."""
    match event:
        case Started(device):
            return f"started on {device}"
        case Infeasible(ids, samples):
            more = f" and {len(ids) - _MAX_NAMED} more" if len(ids) > _MAX_NAMED else ""
            return (
                f"{len(ids)} of {samples} training samples have a target longer than the output "
                f"and add nothing: {', '.join(ids[:_MAX_NAMED])}{more}"
            )
        case Resumed(epoch):
            return f"resumed after epoch {epoch}"
        case Progress():
            return _progress(event)
        case Validated(epoch, ler, _):
            return f"epoch {epoch} ends  validation LER {ler:.2%}"
        case Finished(summary, seconds):
            return f"done in {seconds:.1f} s  {summary}"
        case Retried(attempt):
            return f"tried again after {attempt.cause}: {attempt.message}"
        case Failed(failure):
            return f"failed ({failure.cause}): {failure.message}"


def _progress(event: Progress) -> str:
    ler = event.validation_ler
    validation = "" if ler is None else f"  validation LER {ler:.2%}"
    return (
        f"epoch {event.epoch}/{event.epochs}  {event.fraction:.0%}  loss {event.loss:.4f}  "
        f"{event.speed:.0f} samples/s  {event.eta:.0f} s left{validation}"
    )

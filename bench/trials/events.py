"""What a running trial says: Started, then Progress… and Validated, then Finished or Failed."""

from __future__ import annotations

from dataclasses import dataclass

from bench.trials.store import Attempt, Failure

_NAMED = 20


@dataclass(frozen=True)
class Started:
    """The trial has its device and begins to read its data."""

    device: str


@dataclass(frozen=True)
class Infeasible:
    """These of the training samples have no room for their target, and add nothing to a loss."""

    ids: tuple[str, ...]
    samples: int


@dataclass(frozen=True)
class Resumed:
    """Training goes on from the checkpoint that an earlier attempt left after this epoch."""

    epoch: int


@dataclass(frozen=True)
class Adopted:
    """Another trial has trained just these weights: nothing is left to train."""

    key: str


@dataclass(frozen=True)
class Progress:
    """Where training stands: epochs count from 1, `fraction` of all steps is done.

    `loss` is the mean of the epoch so far, `speed` in samples a second, `eta` in seconds. Where
    patience may end training sooner, `epochs` and `eta` are the most there can be.
    `validation_ler` is the label error rate of the last finished epoch, None in the first.
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
    """An epoch has ended, with its label error rate, and that of the epoch selected so far."""

    epoch: int
    ler: float
    selected: float


@dataclass(frozen=True)
class Finished:
    """The record is written; its scores on the split that it was run for."""

    sequence_accuracy: float
    cer: float
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The trial ended without a record."""

    failure: Failure


@dataclass(frozen=True)
class Retried:
    """An attempt failed, and the trial was submitted again."""

    attempt: Attempt


Event = (
    Started | Infeasible | Adopted | Resumed | Progress | Validated | Retried | Finished | Failed
)


def describe(event: Event) -> str:  # noqa: PLR0911 (an event, a line)
    """Say an event in one line."""
    match event:
        case Started(device):
            return f"started on {device}"
        case Infeasible(ids, samples):
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            return (
                f"{len(ids)} of {samples} training samples have no room for their target "
                f"and will add nothing: {', '.join(ids[:_NAMED])}{more}"
            )
        case Adopted(key):
            return f"takes the weights of {key}, which was trained alike"
        case Resumed(epoch):
            return f"resumed after epoch {epoch}"
        case Progress():
            rate = event.validation_ler
            shown = "" if rate is None else f"  validation LER {rate:.2%}"
            return (
                f"epoch {event.epoch}/{event.epochs}  {event.fraction:.0%}  loss {event.loss:.4f}  "
                f"{event.speed:.0f} samples/s  {event.eta:.0f} s left{shown}"
            )
        case Validated(epoch, ler, _):
            return f"epoch {epoch} ends  validation LER {ler:.2%}"
        case Finished(accuracy, cer, seconds):
            return f"done in {seconds:.1f} s  accuracy {accuracy:.2%}  CER {cer:.2%}"
        case Retried(attempt):
            return f"tried again after {attempt.cause}: {attempt.message}"
        case Failed(failure):
            return f"failed ({failure.cause}): {failure.message}"

"""Trials against the store: what is done, what failed, what went stale and why, what is to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bench.trials.grid import Trial
    from bench.trials.store import Failure, Record, Store

_ABSENT = "absent"

State = Literal["done", "failed", "stale", "to do"]


@dataclass(frozen=True)
class Entry:
    """One trial and what the store has of it.

    `stale` is the newest record of the same names and seed under another key.
    """

    trial: Trial
    record: Record | None = None
    failure: Failure | None = None
    stale: Record | None = None

    @property
    def state(self) -> State:
        """Return where this trial stands; all but `done` are to do."""
        if self.record:
            return "done"
        if self.failure:
            return "failed"
        return "stale" if self.stale else "to do"

    def why(self) -> str:
        """Say in one clause why it is in this state; empty where there is nothing to say."""
        if self.failure:
            return f"{self.failure.cause}: {' '.join(self.failure.message.split())}"
        if self.stale:
            return "; ".join(differences(self.stale.spec, self.trial.spec))
        return ""


def survey(
    trials: Sequence[Trial], store: Store, suite: Sequence[Trial] | None = None
) -> list[Entry]:
    """Look every trial up in the store; `suite` is what they were selected of, if they were."""
    found, keys = [], {trial.key for trial in suite or trials}
    for trial in trials:
        if record := store.record(trial):
            found.append(Entry(trial, record=record))
        else:
            # What is of another trial of the suite, tuned or not, went not stale.
            others = (record for record in store.siblings(trial) if record.key not in keys)
            stale = next(others, None)
            found.append(Entry(trial, failure=store.failure(trial), stale=stale))
    return found


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 (JSON)
    """Yield what moved between two specs, as `path: before → after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            inner = f"{path}.{key}" if path else key
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif before != after:
        yield f"{path}: {before} → {after}"


def price(entries: Sequence[Entry], todo: Sequence[Entry]) -> float | None:
    """Estimate the core-seconds of `todo` from the records of `entries`, or None without any.

    A trial costs what its like (same dataset, model and loss names, any key or seed) cost; one
    without its like costs the mean of all that are known.
    """
    known: dict[tuple[str, str, str], list[float]] = {}
    for entry in entries:
        if like := entry.record or entry.stale:
            seconds = like.timings.total * like.provenance.threads
            known.setdefault(_names(entry.trial), []).append(seconds)
    if not known:
        return None
    overall = mean(seconds for group in known.values() for seconds in group)
    return sum(mean(known.get(_names(entry.trial), [overall])) for entry in todo)


def _names(trial: Trial) -> tuple[str, str, str]:
    return trial.dataset.name, trial.model.name, trial.loss.name

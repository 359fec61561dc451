"""The second phase of a run: profile what has no valid profile on this hardware."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from bench.profiling import hardware, method

if TYPE_CHECKING:
    from bench.profiling.hardware import Hardware
    from bench.trials.grid import Trial
    from bench.trials.store import Profile, Store


class Outcome(NamedTuple):
    """The profiles of a selection on this hardware, and what could not be measured and why."""

    profiles: list[Profile]
    faults: list[str]


def profile(
    trials: Sequence[Trial], store: Store, say: Callable[[str], None], *, retry: bool = True
) -> Outcome:
    """Measure each dataset × model × loss of `trials` that has no valid profile here yet.

    Without `retry`, what was measured and found invalid stays so. Nothing else of bench may run
    meanwhile.
    """
    outcome = Outcome([], [])
    for trial in representatives(trials, store):
        try:
            found = _profile(trial, store, say, retry=retry)
        except Exception as error:  # noqa: BLE001 (one that cannot run must not lose the others)
            outcome.faults.append(f"{_label(trial)}: {type(error).__name__}: {error}")
        else:
            if found not in outcome.profiles:
                outcome.profiles.append(found)
    return outcome


def representatives(trials: Sequence[Trial], store: Store) -> list[Trial]:
    """Return a trial for each dataset × model × loss: the first that is done, else the first."""
    groups: dict[tuple[str, ...], list[Trial]] = {}
    for trial in trials:
        groups.setdefault(tuple(trial.labels.values()), []).append(trial)
    return [
        next((trial for trial in group if store.record(trial)), group[0])
        for group in groups.values()
    ]


def known(trial: Trial, store: Store, here: Hardware) -> Profile | None:
    """Return the profile that holds for `trial` on the hardware `here`, without reading data."""
    return next(
        (
            profile
            for profile in store.profiles()
            if profile.spec["hardware"] == asdict(here) and method.covers(profile, trial.spec)
        ),
        None,
    )


def _profile(trial: Trial, store: Store, say: Callable[[str], None], *, retry: bool) -> Profile:
    here = hardware.find(trial.resources)
    found = known(trial, store, here)
    if found is None or (retry and not found.valid):
        say(f"profiling {_label(trial)} on {here.line}")
        from bench.profiling.measure import measure

        found = measure(trial, store, here)
        store.keep(found)
    return found


def _label(trial: Trial) -> str:
    return f"{trial.model.label} · {trial.loss.label}"

"""The last phase of a run: profile what has no valid profile on this hardware."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.core.errors import one_line
from bench.core.signals import raise_if_interrupted
from bench.profiling import method
from bench.profiling.profiler import LocalProfiler
from bench.trials.leases import waited_for
from bench.trials.specs import RecognizerEvaluation

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.profiling.hardware import Hardware
    from bench.profiling.profiler import Profiler
    from bench.trials.records import Profile
    from bench.trials.specs import Evaluation
    from bench.trials.store import Store


_LEASE = "profiling"
"""One process at a time measures latencies in a folder of records."""


Begin = Callable[[int, int, str], object]
"""Is given the number of what is measured next, how many there are, and what it is called."""


class ProfilingResult(NamedTuple):
    """What a phase leaves.

    Attributes:
        profiles: The profiles of the evaluations on this hardware.
        faults: What could not be measured, and why.
    """

    profiles: list[Profile]
    faults: list[str]


def profile_evaluations(
    evaluations: Sequence[Evaluation],
    store: Store,
    say: Callable[[str], None],
    opened: AbstractContextManager[Profiler] | None = None,
    *,
    retry: bool = True,
    begin: Begin = lambda *_: None,
) -> ProfilingResult:
    """Measure each model, loss, decoder and input that has no valid profile on its hardware yet.

    Nothing else of bench may run there meanwhile.

    Args:
        evaluations: What is profiled; all seeds of an entry share a profile.
        store: Where profiles are kept.
        say: Is given a sentence where something else has to be waited for.
        opened: Where they are measured, entered if there is any; None for this process.
        retry: Whether an invalid profile is measured again.
        begin: Is called before each measurement.
    """
    chosen = representatives(evaluations, store)
    if not chosen:
        return ProfilingResult([], [])
    final = set() if retry else {profile.key for profile in store.profiles()}
    with opened or nullcontext(LocalProfiler()) as place:
        return _profile_all(chosen, store, say, place, final, begin)


def _profile_all(
    evaluations: Sequence[Evaluation],
    store: Store,
    say: Callable[[str], None],
    place: Profiler,
    final: set[str],
    begin: Begin,
) -> ProfilingResult:
    outcome = ProfilingResult([], [])
    for number, evaluation in enumerate(evaluations, 1):
        try:
            tell = partial(begin, number, len(evaluations))
            measured = _profile(evaluation, store, say, place, final, tell)
        except Exception as error:  # noqa: BLE001 (one that cannot run must not lose the others)
            fault = f"{_label(evaluation)}: {one_line(error)}"
            outcome.faults.append(fault)
        else:
            # Several test sets of one shape share a profile, which the last of them completes.
            others = [each for each in outcome.profiles if each.key != measured.key]
            outcome.profiles[:] = [*others, measured]
            final.add(measured.key)
        # Where native code has lost the exception, a fault may be what became of it.
        raise_if_interrupted()
    return outcome


def representatives(evaluations: Sequence[Evaluation], store: Store) -> list[Evaluation]:
    """Return one evaluation of each model, loss, decoder, input, test set and training data.

    It is the first whose training is done, so that its weights can be used, else the first. So too
    of each recognizer whose latency is measured, and test set.
    """
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in filter(_is_timed, evaluations):
        parts = method.profile_group(evaluation.spec, _training_spec(evaluation))
        groups.setdefault(json.dumps(parts, sort_keys=True), []).append(evaluation)
    return [
        next((each for each in group if each.training and store.is_done(each.training)), group[0])
        for group in groups.values()
    ]


def _is_timed(evaluation: Evaluation) -> bool:
    return not isinstance(evaluation, RecognizerEvaluation) or evaluation.recognizer.timed


def _training_spec(evaluation: Evaluation) -> dict[str, Any] | None:
    return evaluation.training.spec if evaluation.training else None


def covering_profile(evaluation: Evaluation, store: Store, hardware: Hardware) -> Profile | None:
    """Return the profile that holds for `evaluation` on some hardware, if there is one.

    No data are read.
    """
    specs = evaluation.spec, _training_spec(evaluation)
    covering = (
        profile
        for profile in store.profiles()
        if profile.spec["hardware"] == hardware.spec() and method.profile_covers(profile, *specs)
    )
    return next(covering, None)


def _profile(
    evaluation: Evaluation,
    store: Store,
    say: Callable[[str], None],
    place: Profiler,
    final: Collection[str],
    tell: Callable[[str], object],
) -> Profile:
    hardware = place.hardware(evaluation.resources)

    def measured() -> Profile | None:
        profile = covering_profile(evaluation, store, hardware)
        return profile if profile and (profile.valid or profile.key in final) else None

    if profile := measured():
        return profile
    with waited_for(store.root, _LEASE, lambda holder: say(f"{holder} is profiling; waiting")):
        # It may have been that one.
        if profile := measured():
            return profile
        tell(f"{_label(evaluation)} on {hardware.line}")
        profile = place.measure(evaluation, store, final)
        store.keep(profile)
    return profile


def _label(evaluation: Evaluation) -> str:
    labels = evaluation.labels
    parts = [
        label
        for part, label in labels.items()
        if part != "test" and (part, label) != ("decoder", "greedy")
    ]
    return " · ".join(parts) + f" reading {labels['test']}"

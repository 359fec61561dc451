"""The profiling phase of a run: measure what has no valid profile on its hardware."""

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
"""The name of the lease: one process at a time profiles in a folder of records."""

Begin = Callable[[int, int, str], object]
"""Called before a measurement with its number, the number of all of them, and its name."""


class ProfilingResult(NamedTuple):
    """The result of the profiling phase.

    Attributes:
        profiles: The profiles of the evaluations on this hardware.
        faults: One message per measurement that failed.
    """

    profiles: list[Profile]
    faults: list[str]


def profile_evaluations(
    evaluations: Sequence[Evaluation],
    store: Store,
    report: Callable[[str], None],
    opened: AbstractContextManager[Profiler] | None = None,
    *,
    retry: bool = True,
    begin: Begin = lambda *_: None,
) -> ProfilingResult:
    """Profile each combination of model, loss, decoder and input without a valid profile yet.

    Nothing else of bench may run on the same machine at the same time.

    Args:
        evaluations: The evaluations to profile; all seeds of an entry share a profile.
        store: The store of profiles.
        report: Receives a message if profiling has to wait.
        opened: The profiler, which is entered only if something is profiled; None for this process.
        retry: Whether an invalid profile is measured again.
        begin: Called before each measurement.
    """
    chosen = representatives(evaluations, store)
    if not chosen:
        return ProfilingResult([], [])
    final = set() if retry else {profile.key for profile in store.profiles()}
    with opened or nullcontext(LocalProfiler()) as profiler:
        return _profile_all(chosen, store, report, profiler, final, begin)


def _profile_all(
    evaluations: Sequence[Evaluation],
    store: Store,
    report: Callable[[str], None],
    profiler: Profiler,
    final: set[str],
    begin: Begin,
) -> ProfilingResult:
    result = ProfilingResult([], [])
    for number, evaluation in enumerate(evaluations, 1):
        try:
            begin_this = partial(begin, number, len(evaluations))
            measured = _profile(evaluation, store, report, profiler, final, begin_this)
        except Exception as error:  # noqa: BLE001 (a failure must not end the other measurements)
            fault = f"{_label(evaluation)}: {one_line(error)}"
            result.faults.append(fault)
        else:
            # Test sets of one shape share a profile; the last one returned has all of them.
            others = [each for each in result.profiles if each.key != measured.key]
            result.profiles[:] = [*others, measured]
            final.add(measured.key)
        # Native code may turn the exception of an interrupt into another one, which is a fault.
        raise_if_interrupted()
    return result


def representatives(evaluations: Sequence[Evaluation], store: Store) -> list[Evaluation]:
    """Return one evaluation per `method.profile_group`.

    It is the first one whose training is done, so that its weights can be used, else the first.
    Recognizers whose latency is not measured are left out.
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
    """Return the profile of an evaluation on some hardware, or None, without reading data."""
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
    report: Callable[[str], None],
    profiler: Profiler,
    final: Collection[str],
    begin: Callable[[str], object],
) -> Profile:
    hardware = profiler.hardware(evaluation.resources)

    def finished_profile() -> Profile | None:
        profile = covering_profile(evaluation, store, hardware)
        return profile if profile and (profile.valid or profile.key in final) else None

    if profile := finished_profile():
        return profile
    with waited_for(store.root, _LEASE, lambda holder: report(f"{holder} is profiling; waiting")):
        # The other process may have measured this profile.
        if profile := finished_profile():
            return profile
        begin(f"{_label(evaluation)} on {hardware.line}")
        profile = profiler.measure(evaluation, store, final)
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

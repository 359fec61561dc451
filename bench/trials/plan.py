"""Trials compared with the store: tasks that are done, failed, stale or to run, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bench.core.errors import BenchError
from bench.core.printable import in_one_line
from bench.trials import provenance
from bench.trials.data_needs import WaitingTask, data_needs, needs_of
from bench.trials.durations import SimilarTasks
from bench.trials.grid import check_distinct, tasks
from bench.trials.live_runs import UNFINISHED

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.trials.data_needs import DataNeed
    from bench.trials.live_runs import LiveRun, LiveTask
    from bench.trials.records import Failure, Record
    from bench.trials.specs import Kind, Task, Trial
    from bench.trials.store import Store

_ABSENT = "absent"
_DIGEST = re.compile("[0-9a-f]{64}")
_SOURCE = {"file", "sha256"}
"""The keys that name the source file of a component from outside bench."""
State = Literal["running", "done", "damaged", "failed", "stale", "to do", "needs data"]
NEEDS_DATA: State = "needs data"
"""The state of a task some of whose data are not prepared."""


@dataclass(frozen=True)
class TaskStatus:
    """One task and its state in the store.

    Attributes:
        task: The training or evaluation.
        record: Its record, where it is done.
        failure: The failure of its last attempt.
        stale: The newest record of the same names and seed under another key.
        fault: Why its record cannot be used; empty where it can.
        live: Its state in a current run that has not finished it.
    """

    task: Task
    record: Record | None = None
    failure: Failure | None = None
    stale: Record | None = None
    fault: str = ""
    live: LiveTask | None = None

    @property
    def state(self) -> State:
        """Return `running`, `done`, or the reason to run it."""
        if self.live and self.live.state in {"starting", "running"}:
            return "running"
        if self.record:
            return "done"
        if self.fault:
            return "damaged"
        if self.failure:
            return "failed"
        return "stale" if self.stale else "to do"

    @property
    def changed_sources(self) -> list[str]:
        """The source files of bench that differ from those that made the record."""
        if not self.record:
            return []
        return provenance.changed_sources(self.record.provenance.sources)

    def why(self) -> str:
        """Return the reason of its state in one clause; empty where there is none."""
        if self.record:
            changed = self.changed_sources
            return f"made by other sources: {_listed(changed)}" if changed else ""
        if self.fault:
            return self.fault
        if self.failure:
            return f"{self.failure.cause}: {self.failure.reason}"
        if self.stale:
            return in_one_line("; ".join(differences(self.stale.spec, self.task.spec)))
        return ""


@dataclass(frozen=True)
class Plan:
    """The statuses of the tasks of some trials, by their keys: trainings first.

    Attributes:
        trials: The trials.
        statuses: The status of each of their tasks whose data are prepared.
        waiting: The other tasks: trainings first.
    """

    trials: Sequence[Trial]
    statuses: dict[str, TaskStatus]
    waiting: Sequence[WaitingTask] = ()

    def trial_statuses(self, trial: Trial) -> list[TaskStatus]:
        """Return the statuses of the tasks of one trial."""
        return [self.statuses[task.key] for task in trial.tasks]

    def state(self, trial: Trial) -> State:
        """Return `done` where all tasks of a trial are, else the worst state among them."""
        states = {status.state for status in self.trial_statuses(trial)}
        order: tuple[State, ...] = ("damaged", "failed", "running", "stale", "to do", "done")
        return next(state for state in order if state in states)

    def why(self, trial: Trial) -> str:
        """Return why a trial is in its state: the reasons of its tasks, each once."""
        return "; ".join(dict.fromkeys(filter(None, (s.why() for s in self.trial_statuses(trial)))))

    def missing(self, *, force: bool = False, changed: bool = False) -> list[Task]:
        """Return the tasks to run: those not done, or all, or those of changed sources too.

        An evaluation of a training that is run again is run again as well. A damaged record is not
        written over, for it may be all that is left of hours: neither its task nor what needs it
        is run.
        """
        chosen = {
            key
            for key, status in self.statuses.items()
            if force or not status.record or (changed and status.changed_sources)
        }
        trainings = {key for key in chosen if self.statuses[key].task.kind == "training"}
        damaged = {key for key, status in self.statuses.items() if status.fault}
        tasks = []
        for key, status in self.statuses.items():
            training = status.task.training
            needed = None if training is None else training.key
            if (key in chosen or needed in trainings) and not {key, needed} & damaged:
                tasks.append(status.task)
        return tasks

    @property
    def faults(self) -> list[str]:
        """The sentence on each record that cannot be used."""
        return [status.fault for status in self.statuses.values() if status.fault]

    def with_changed_sources(self) -> Plan:
        """Return the statuses of the tasks whose records other sources of bench made."""
        changed = {key: each for key, each in self.statuses.items() if each.changed_sources}
        return Plan(self.trials, changed)

    def with_runs(self, runs: Sequence[LiveRun]) -> Plan:
        """Return the statuses with what runs say of their tasks: first those that have a slot."""
        live: dict[str, LiveTask] = {}
        for task in sorted(
            (task for run in runs for task in run.tasks if task.state in UNFINISHED),
            key=lambda task: task.state not in {"starting", "running"},
        ):
            live.setdefault(task.key, task)
        statuses = {key: replace(each, live=live.get(key)) for key, each in self.statuses.items()}
        return replace(self, statuses=statuses)

    def counts(self, kind: Kind) -> Counter[State]:
        """Return how many tasks of a kind are in each state."""
        waiting = Counter[State]({NEEDS_DATA: sum(each.task.kind == kind for each in self.waiting)})
        statuses = self.statuses.values()
        return +waiting + Counter(each.state for each in statuses if each.task.kind == kind)

    @property
    def needs(self) -> list[DataNeed]:
        """The data sets that waiting tasks need, each once."""
        return [*dict.fromkeys(need for each in self.waiting for need in each.needs)]


def make_partial_plan(
    suite: Suite, trials: Sequence[Trial], store: Store, all_trials: Sequence[Trial]
) -> Plan:
    """Look up every task whose data are prepared; the others wait for their data.

    Args:
        suite: What the trials are of.
        trials: The selected trials.
        store: The records.
        all_trials: All trials of the suite, by `grid.unkeyed_trials`.

    Raises:
        BenchError: Two trials are the same, or prepared data are damaged.
    """
    needs = data_needs(all_trials)
    if not needs:
        check_distinct(suite, all_trials)
        return make_plan(trials, store, all_trials)
    selected = dict.fromkeys(task for trial in trials for task in trial.tasks)
    in_order = sorted(selected, key=lambda task: task.kind == "evaluation")
    waiting = [
        WaitingTask(task, lacking) for task in in_order if (lacking := needs_of(task, needs))
    ]
    ready = {task.key: task for task in in_order if not needs_of(task, needs)}
    current = {
        task.key for trial in all_trials for task in trial.tasks if not needs_of(task, needs)
    }
    return replace(_look_up(trials, store, ready.values(), current), waiting=waiting)


def make_plan(trials: Sequence[Trial], store: Store, suite: Sequence[Trial] | None = None) -> Plan:
    """Look every task up in the store; `suite` is what the trials were selected from."""
    current = {task.key for task in tasks(suite or trials)}
    return _look_up(trials, store, tasks(trials), current)


def _look_up(
    trials: Sequence[Trial], store: Store, chosen: Iterable[Task], current: Collection[str]
) -> Plan:
    """Look tasks up in the store; `current` are the keys of all tasks of the suite."""
    statuses = {}
    for task in chosen:
        try:
            record = store.record(task)
        except BenchError as error:
            statuses[task.key] = TaskStatus(task, fault=str(error))
            continue
        if record:
            statuses[task.key] = TaskStatus(task, record=record)
            continue
        # Another task of the suite, such as a tuned one, is not an earlier version of this one.
        others = (record for record in store.siblings(task) if record.key not in current)
        stale = next((record for record in others if _same_names(record, task)), None)
        statuses[task.key] = TaskStatus(task, failure=store.failure(task), stale=stale)
    return Plan(trials, statuses)


def _same_names(record: Record, task: Task) -> bool:
    """Return whether a record is an earlier version of a task: of the same parts, by their names.

    Recognizers from outside are told apart by their parameters too: two programs have one name.
    """
    before, now = record.labels, task.labels
    return before.keys() == now.keys() and all(
        before[part] == now[part]
        if part == "recognizer"
        else _bare(before[part]) == _bare(now[part])
        for part in now
    )


def _bare(label: str) -> str:
    return label.partition("(")[0]


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 (JSON)
    """Yield what differs between two specs, as `path: before → after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        if before.keys() == after.keys() == _SOURCE and before != after:
            yield f"{path}: {after['file']} changed"
            return
        for key in sorted(before.keys() | after.keys()):
            inner = f"{path}.{key}" if path else key
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif before != after and _is_digest(before) and _is_digest(after):
        yield f"{path}: changed"
    elif isinstance(before, dict) and after is _ABSENT:
        yield f"{path}: removed"
    elif before is _ABSENT and isinstance(after, dict):
        yield f"{path}: added"
    elif before != after:
        first, second = ("''" if each == "" else each for each in (before, after))
        yield f"{path}: {first} → {second}"


def _is_digest(value: object) -> bool:
    """Return whether a value is the SHA-256 of a file: what it was says nothing to a person."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


class Cost(NamedTuple):
    """What tasks may cost.

    Attributes:
        cores: Seconds of wall time times the compute threads of all devices.
        gpus: Seconds of wall time times the GPUs reserved; 0 where none was used.
    """

    cores: float
    gpus: float


def estimated_cost(plan: Plan, missing: Sequence[Task]) -> Cost | None:
    """Estimate what `missing` costs from the records at hand; None without any.

    A task costs what like tasks cost (`SimilarTasks`).
    """
    cores, gpus = SimilarTasks(), SimilarTasks()
    for task, record in _records(plan):
        spent = _cost(record)
        cores.add(task, spent.cores)
        gpus.add(task, spent.gpus)
    if not [*_records(plan)]:
        return None
    return Cost(
        sum(cores.expected(task) or 0.0 for task in missing),
        sum(gpus.expected(task) or 0.0 for task in missing),
    )


def durations(plan: Plan) -> SimilarTasks:
    """Return how many seconds the tasks of the records at hand took."""
    seconds = SimilarTasks()
    for task, record in _records(plan):
        seconds.add(task, record.seconds)
    return seconds


def _records(plan: Plan) -> Iterator[tuple[Task, Record]]:
    for status in plan.statuses.values():
        if record := status.record or status.stale:
            yield status.task, record


def _cost(record: Record) -> Cost:
    origin = record.provenance
    cores = origin.threads * record.spec.get("devices", 1)
    return Cost(record.seconds * cores, record.seconds * origin.charged_gpus)


def _listed(names: Sequence[str]) -> str:
    count = 3
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more

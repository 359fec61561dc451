"""The plan of a run: which tasks of some trials are done, failed, stale or to run, and why."""

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
        """The state: `running`, `done`, or why the task has to run."""
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
        """Return the reason for its state in one clause; empty if there is none."""
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
    """The statuses of the tasks of some trials.

    Attributes:
        trials: The trials.
        statuses: The status of each task whose data are prepared, by its key, trainings first.
        waiting: The tasks whose data are not prepared, trainings first.
    """

    trials: Sequence[Trial]
    statuses: dict[str, TaskStatus]
    waiting: Sequence[WaitingTask] = ()

    def trial_statuses(self, trial: Trial) -> list[TaskStatus]:
        """Return the statuses of the tasks of one trial."""
        return [self.statuses[task.key] for task in trial.tasks]

    def state(self, trial: Trial) -> State:
        """Return `done` if all tasks of a trial are done, else the worst state among them."""
        states = {status.state for status in self.trial_statuses(trial)}
        order: tuple[State, ...] = ("damaged", "failed", "running", "stale", "to do", "done")
        return next(state for state in order if state in states)

    def why(self, trial: Trial) -> str:
        """Return the reasons for the state of a trial: those of its tasks, each once."""
        return "; ".join(dict.fromkeys(filter(None, (s.why() for s in self.trial_statuses(trial)))))

    def missing(self, *, force: bool = False, changed: bool = False) -> list[Task]:
        """Return the tasks to run.

        The evaluations of a training that runs again also run again. A damaged record is never
        overwritten, because it may be restored: neither its task nor the tasks that require it run.

        Args:
            force: Run all tasks, also those that are done.
            changed: Also run tasks whose records were made by other sources of bench.
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
        """The error message for each record that cannot be used."""
        return [status.fault for status in self.statuses.values() if status.fault]

    def with_changed_sources(self) -> Plan:
        """Return the plan of the tasks whose records were made by other sources of bench."""
        changed = {key: each for key, each in self.statuses.items() if each.changed_sources}
        return Plan(self.trials, changed)

    def with_runs(self, runs: Sequence[LiveRun]) -> Plan:
        """Return the plan with the state of each task in current runs; a running one precedes."""
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
    """Return the plan of trials some of whose data may not be prepared.

    Args:
        suite: The suite of the trials.
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
    """Return the plan of trials whose data are prepared.

    Args:
        trials: The selected trials.
        store: The records.
        suite: All trials of the suite; None if all are selected.
    """
    current = {task.key for task in tasks(suite or trials)}
    return _look_up(trials, store, tasks(trials), current)


def _look_up(
    trials: Sequence[Trial], store: Store, chosen: Iterable[Task], current: Collection[str]
) -> Plan:
    """Return the plan of some tasks of trials; `current` are the keys of all tasks of the suite."""
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
    """Return whether a record is an earlier version of a task: its components have the same names.

    Of recognizers from outside bench, parameters have to be the same too, because they name the
    program.
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
    """Return whether a value is the SHA-256 of a file, which is not shown."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


class Cost(NamedTuple):
    """The estimated cost of tasks.

    Attributes:
        cores: Core-seconds: wall time times the compute threads of all devices.
        gpus: GPU-seconds: wall time times the reserved GPUs; 0 if none was used.
    """

    cores: float
    gpus: float


def estimated_cost(plan: Plan, missing: Sequence[Task]) -> Cost | None:
    """Estimate the cost of the tasks `missing` from the records of a plan; None without any record.

    A task costs the mean of similar tasks (`SimilarTasks`).
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
    """Return how many seconds the tasks with a record in a plan took."""
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

"""Estimate what tasks take, from similar tasks, and the time left of a run."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bench.trials.specs import RecognizerEvaluation

if TYPE_CHECKING:
    from bench.trials.specs import Kind, Task


SUBMITTED_AHEAD = 1
"""The number of tasks submitted beyond the running ones, so that no slot is ever empty."""


class SimilarTasks:
    """Measured values of tasks, such as seconds, from which those of similar tasks are estimated.

    Tasks are similar if they have the same kind, and the same model and loss or the same
    recognizer, whatever their keys and seeds. Without such tasks, all tasks of the kind are used.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], tuple[float, int]] = {}

    def add(self, task: Task, value: float) -> None:
        """Add the measured value of a task."""
        for group in (_group(task), (task.kind,)):
            total, count = self._sums.get(group, (0.0, 0))
            self._sums[group] = total + value, count + 1

    def expected(self, task: Task) -> float | None:
        """Return the mean of similar tasks, or None if there is no task of the kind."""
        alike = self.same_components(task)
        return self.of_kind(task) if alike is None else alike

    def same_components(self, task: Task) -> float | None:
        """Return the mean of tasks with the same components, or None without any."""
        return self._mean(_group(task))

    def of_kind(self, task: Task) -> float | None:
        """Return the mean of all tasks of the kind, or None without any."""
        return self._mean((task.kind,))

    def _mean(self, group: tuple[str, ...]) -> float | None:
        total, count = self._sums.get(group, (0.0, 0))
        return total / count if count else None


def expected(task: Task, sources: Sequence[SimilarTasks]) -> float | None:
    """Return the estimate of the first source that has the same components, else the same kind."""
    means = [source.same_components(task) for source in sources] + [
        source.of_kind(task) for source in sources
    ]
    return next((mean for mean in means if mean is not None), None)


def _group(task: Task) -> tuple[str, ...]:
    if isinstance(task, RecognizerEvaluation):
        return task.kind, task.recognizer.label
    training = task.training
    assert training, "only a recognizer's evaluation has none"  # noqa: S101
    return task.kind, training.model.name, training.loss.name


class RemainingTask(NamedTuple):
    """A task of a run that has not ended, with its expected duration.

    Attributes:
        key: Its key.
        kind: Whether it is a training or an evaluation.
        seconds: How long it will still take; None: unknown.
        needs: The key of the training that it requires; "" for none.
    """

    key: str
    kind: Kind
    seconds: float | None
    needs: str = ""


def remaining_task(task: Task, seconds: float | None) -> RemainingTask:
    """Return a task with the seconds that it will still take."""
    needs = task.training.key if task.training and task.kind == "evaluation" else ""
    return RemainingTask(task.key, task.kind, seconds, needs)


def time_left(
    running: Sequence[RemainingTask], queued: Sequence[RemainingTask], slots: int
) -> float | None:
    """Return the seconds until all tasks are done; None if the duration of one is unknown.

    Simulates the order of a run: evaluations whose training is done precede further trainings.

    Args:
        running: Running tasks, one per slot.
        queued: Tasks that have not started, in order.
        slots: The number of tasks that run at once.
    """
    if any(task.seconds is None for task in (*running, *queued)):
        return None
    pending = {task.key for task in (*running, *queued)}
    ready: dict[Kind, deque[RemainingTask]] = {"evaluation": deque(), "training": deque()}
    waiting: dict[str, list[RemainingTask]] = {}
    for task in queued:
        if task.needs in pending:
            waiting.setdefault(task.needs, []).append(task)
        else:
            ready[task.kind].append(task)
    ends = [(task.seconds or 0.0, number, task.key) for number, task in enumerate(running)]
    heapq.heapify(ends)
    now, slots, started = 0.0, max(slots, 1), len(ends)
    submitted: deque[RemainingTask] = deque()
    while ends or submitted or any(ready.values()):
        while len(ends) + len(submitted) < slots + SUBMITTED_AHEAD and any(ready.values()):
            submitted.append((ready["evaluation"] or ready["training"]).popleft())
        while len(ends) < slots and submitted:
            task = submitted.popleft()
            started += 1
            heapq.heappush(ends, (now + (task.seconds or 0.0), started, task.key))
        now = ends[0][0]
        while ends and ends[0][0] == now:
            _, _, key = heapq.heappop(ends)
            for task in waiting.pop(key, []):
                ready[task.kind].append(task)
    return now


def duration(seconds: float) -> str:
    """Return seconds as text: `40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 99.5:  # noqa: PLR2004 (two digits)
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004 (minutes of an hour)
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004 (hours of a day)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"

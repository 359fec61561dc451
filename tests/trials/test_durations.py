"""How long a run still takes, by what like tasks took."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from bench.execution.schedule import execute
from bench.trials import grid
from bench.trials.durations import (
    RemainingTask,
    SimilarTasks,
    duration,
    expected,
    remaining_task,
    time_left,
)
from bench.trials.events import Finished, Started


class TickingExecutor:
    """Runs `slots` tasks at once, each for so many polls as `ticks` says; counts the polls."""

    def __init__(self, slots, ticks):
        self.slots, self.ticks = slots, dict(ticks)
        self.queue, self.running, self.polls = [], [], 0

    def check(self, task):
        pass

    def capacity(self, task):  # noqa: ARG002 (the same for all)
        return self.slots

    def submit(self, task, store, attempts):  # noqa: ARG002 (nothing is written)
        self.queue.append(task)

    def poll(self):
        free = self.slots - len(self.running)
        started, self.queue = self.queue[:free], self.queue[free:]
        self.running += started
        self.polls += 1
        for task in self.running:
            self.ticks[task.key] -= 1
        ended = [task for task in self.running if not self.ticks[task.key]]
        self.running = [task for task in self.running if self.ticks[task.key]]
        return [(task, Started("cpu")) for task in started] + [
            (t, Finished("", 1.0)) for t in ended
        ]

    def cancel(self, task):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("slots", [1, 2, 3, 9])
def test_the_estimate_is_what_the_schedule_takes(trials, store, slots):
    tasks = grid.tasks(trials)
    ticks = dict(zip((task.key for task in tasks), (5, 3, 8, 2, 1, 4, 2, 6), strict=True))
    executor = TickingExecutor(slots, ticks)
    execute(tasks, {task.key: "" for task in tasks}, store, nullcontext(executor))
    queued = [remaining_task(task, float(ticks[task.key])) for task in tasks]
    assert time_left([], queued, slots) == executor.polls


def test_what_runs_is_counted_by_what_is_left_of_it():
    running = [RemainingTask("a", "training", 4.0), RemainingTask("b", "training", 1.0)]
    queued = [RemainingTask("on a", "evaluation", 2.0, "a"), RemainingTask("c", "training", 2.0)]
    assert time_left(running, queued, 2) == 6.0
    assert time_left([], [], 2) == 0.0


def test_without_an_earlier_task_of_its_kind_the_time_is_unknown(trials):
    training, evaluation = trials[0].tasks
    durations = SimilarTasks()
    durations.add(training, 10.0)
    queued = [remaining_task(task, durations.expected(task)) for task in (training, evaluation)]
    assert time_left([], queued, 1) is None
    durations.add(evaluation, 1.0)
    queued = [remaining_task(task, durations.expected(task)) for task in (training, evaluation)]
    assert time_left([], queued, 1) == 11.0


def test_tasks_alike_come_before_others_of_their_kind(trials):
    ctc, radial = trials[0].trainings[0], trials[1].trainings[0]
    here, earlier = SimilarTasks(), SimilarTasks()
    here.add(ctc, 1.0)
    assert expected(radial, [here, earlier]) == 1.0
    earlier.add(radial, 7.0)
    assert expected(radial, [here, earlier]) == 7.0
    here.add(radial, 3.0)
    assert expected(radial, [here, earlier]) == 3.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (3600, "1 h"),
        (4000, "1 h 7 min"),
        (9e5, "10 d 10 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, text):
    assert duration(seconds) == text

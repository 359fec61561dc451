"""What a run tells of itself: to other processes, in lines of text and of JSON."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext

import pytest
from scripted_executor import PROGRESS, ScriptedExecutor, names_of

from bench.execution.run_monitor import RunMonitor
from bench.execution.schedule import execute, opening_phase
from bench.trials import grid, live_runs
from bench.trials.events import Cancelled, NotRun, Started, Validated
from bench.trials.leases import Leases

MOMENT = 0.02


@pytest.fixture
def tasks(trials):
    """Return four trainings, then their evaluations."""
    return grid.tasks(trials)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr("bench.execution.run_monitor._EVERY_SECONDS", MOMENT)


class WatchedExecutor(ScriptedExecutor):
    """Calls `look` with what other processes see, until it returns something true."""

    def __init__(self, root, look, **options):
        super().__init__(**options)
        self.root, self.look, self.looks = root, look, 0

    def poll(self):
        if self.look and self.running:
            for _ in range(200):
                runs = live_runs.live_runs(self.root)
                if runs and runs[0].running and self.look(*runs):
                    self.look = None
                    break
                os.sched_yield()
                self._wait()
        return super().poll()

    @staticmethod
    def _wait():
        from time import sleep

        sleep(MOMENT / 2)


def run(tasks, store, executor, monitor=None):
    return execute(tasks, names_of(tasks), store, nullcontext(executor), monitor=monitor)


def test_other_processes_see_a_run_while_it_goes_on(tasks, store):
    seen = []

    def look(live):
        seen.append(live)
        return live.running[0].state == "running"

    executor = WatchedExecutor(store.root, look, slots=2)
    with RunMonitor(store, suite="tiny", executor="scripted") as monitor:
        assert run(tasks, store, executor, monitor) == []
        assert [task.state for task in monitor.run.tasks] == ["done"] * 8
    live = seen[-1]
    assert (live.suite, live.executor, live.slots) == ("tiny", "scripted", 2)
    assert live.process.pid == os.getpid()
    assert [task.state for task in live.tasks[4:]] == ["waits for training"] * 4
    assert live.running[0].device == "cpu"
    assert live_runs.live_runs(store.root) == []
    assert not (store.root / live_runs.FOLDER).exists()


def test_progress_and_curves_are_kept_and_give_the_time_left(tasks, store):
    with RunMonitor(store) as monitor:
        monitor.plan(tasks[:2], names_of(tasks))
        monitor.run.slots = 1
        monitor.observe(tasks[0], Started("cpu", "node7"))
        assert monitor.run.left is None
        for number in range(300):
            monitor.observe(tasks[0], Validated(number, number, float(number), 0.5, 0.5))
        monitor._estimated = 0.0
        monitor.observe(tasks[0], PROGRESS)
        # One second is left of the first, and a second one like it is to come.
        assert 1.0 < monitor.run.left < 4.0
    live = monitor.run.tasks[0]
    assert (live.step, live.steps, live.node) == (1, 2, "node7")
    assert live.curve[-1] == (299.0, 0.5)
    assert len(live.curve) <= 200


def test_a_folder_that_nobody_may_write_into_fails_no_run(tasks, store):
    store.root.mkdir()
    (store.root / live_runs.FOLDER).write_text("in the way")
    with RunMonitor(store) as monitor:
        assert run(tasks, store, ScriptedExecutor(), monitor) == []


def test_what_a_killed_run_has_left_is_not_shown_and_removed(tasks, store):
    folder = store.root / live_runs.FOLDER
    with RunMonitor(store) as monitor:
        while not [*folder.glob("*.json")]:
            WatchedExecutor._wait()
        (file,) = folder.glob("*.json")
        dead = folder / "dead.json"
        dead.write_bytes(file.read_bytes().replace(monitor.run.id.encode(), b"dead"))
        assert [run.id for run in live_runs.live_runs(store.root)] == [monitor.run.id]
        with RunMonitor(store):
            assert not dead.exists()
        assert file.exists()


@pytest.mark.parametrize("which", [0, 3])
def test_a_cancelled_task_is_to_do_again_and_so_are_its_evaluations(tasks, store, which, capsys):
    chosen = tasks[which]

    monitor = RunMonitor(store)

    def ask(live):
        request = live_runs.request_cancel(store.root, live.id, chosen.key)
        while request.exists() or not monitor._requests:
            WatchedExecutor._wait()
        return True

    executor = WatchedExecutor(store.root, ask, hanging=[tasks[0].key] if which == 0 else [])
    with monitor:
        assert run(tasks, store, executor, monitor) == []
        states = {task.key: task.state for task in monitor.run.tasks}
    assert monitor.cancelled == [chosen]
    (evaluation,) = [task for task in tasks[4:] if task.training.key == chosen.key]
    assert states.pop(chosen.key) == "cancelled"
    assert states.pop(evaluation.key) == "not run"
    assert {*states.values()} == {"done"}
    assert store.failure(chosen) is None
    with Leases(store.root) as leases:
        assert leases.take(chosen.key) is None
    err = capsys.readouterr().err
    assert "cancelled; the next run includes it" in err
    assert "[8/8]" in err


@pytest.mark.usefixtures("caught_signals")
def test_a_cancelled_run_ends_as_by_ctrl_c(tasks, store):
    def ask(live):
        return live_runs.request_cancel(store.root, live.id, live_runs.WHOLE_RUN)

    executor = WatchedExecutor(store.root, ask, hanging=[task.key for task in tasks])
    with pytest.raises(KeyboardInterrupt):
        run(tasks, store, executor)
    assert executor.closed
    assert not (store.root / live_runs.FOLDER).exists()


def test_plain_lines_reach_the_total_when_a_training_fails(tasks, store, capsys):
    run(tasks, store, ScriptedExecutor(causes={tasks[0].key: ["error"]}))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("importing torch on 1 worker")
    assert any("not run, because its training failed" in line for line in lines)
    assert lines[-1].startswith("[8/8] ")


def test_each_event_is_a_line_of_json(tasks, store, capsys):
    names = {task.key: "a\x1b[31m\u202e" for task in tasks}
    with RunMonitor(store, log_format="json") as monitor:
        monitor.phase("starting Ray")
        executor = ScriptedExecutor(causes={tasks[0].key: ["error"]})
        execute(tasks[:1], names, store, nullcontext(executor), monitor=monitor)
        monitor.profiling(1, 2, "crnn")
    err = capsys.readouterr().err
    assert "\x1b" not in err
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines] == [
        "phase",
        "plan",
        "phase",
        "started",
        "failed",
        "profiling",
    ]
    assert {line["schema"] for line in lines} == {1}
    assert lines[3]["name"] == "a\x1b[31m\u202e"
    assert lines[3]["fields"]["device"] == "cpu"
    assert lines[4]["fields"]["failure"]["attempts"][0]["cause"] == "error"


def test_phases_name_the_address():
    assert opening_phase("ray", None) == "starting Ray"
    assert opening_phase("ray", "here:1") == "connecting to the Ray cluster at here:1"
    assert opening_phase("inline", None) == ""
    assert opening_phase("other", None) == "opening the executor other"


def test_every_last_event_counts_as_an_end():
    from bench.trials.events import ENDED

    assert {Cancelled, NotRun} < {*ENDED}

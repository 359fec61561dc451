"""`bench status`, `logs` and `cancel` beside a run that is going on."""

from __future__ import annotations

import json
import threading
import time

import pytest

from bench.core.errors import Exit
from bench.execution.run_monitor import RunMonitor
from bench.trials import grid, live_runs
from bench.trials.events import Finished, Progress, Started
from bench.trials.store import LOG
from bench.trials.task_logs import follow


@pytest.fixture
def going_on(store, trials, monkeypatch):
    """Return a run of `tiny` whose first training is at epoch 1.5, seen by other processes."""
    monkeypatch.setattr("bench.execution.run_monitor._EVERY_SECONDS", 0.02)
    tasks = grid.tasks(trials)
    with RunMonitor(store, suite="tiny") as monitor:
        monitor.plan(tasks, grid.task_names(trials))
        monitor.run.slots = 1
        monitor.observe(tasks[0], Started("cpu", "node7"))
        monitor.observe(tasks[0], Progress(3, 20, 1.5, 0.5, 100.0, 80.0, None))
        wait_for(lambda: any(run.running for run in live_runs.live_runs(store.root)))
        yield monitor


def wait_for(condition):
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def write_log(store, task, text):
    folder = store.begin(task)
    (folder / LOG).write_bytes(text)
    return folder / LOG


def test_status_knows_what_runs_how_far_and_where(bench, going_on, trials):
    answer = bench("status", "tiny")
    line = next(line for line in answer.out.splitlines() if line.startswith("running"))
    assert line.endswith("epoch 1.5, 80 s left, cpu of node7")
    assert "1 running, 3 to do" in answer.out
    assert "0 of 8 tasks have ended, 1 of 1 slots are in use, time left unknown" in answer.out
    values = json.loads(bench("status", "tiny", "--json").out)
    (run,) = values["runs"]
    assert (run["suite"], run["running"], run["total"]) == ("tiny", 1, 8)
    first, *others = values["tasks"]
    assert (first["state"], first["live"]["node"], first["live"]["epoch"]) == (
        "running",
        "node7",
        1.5,
    )
    assert {task["live"]["state"] for task in others} == {"queued", "waits for training"}
    going_on.observe(grid.tasks(trials)[0], Finished("", 1.0))


def test_a_log_is_printed_without_control_characters(bench, store, trials):
    task = trials[0].trainings[0]
    log = write_log(store, task, b"one\n\x1b[31mtwo\xff\n\ttwo\x9b\nthree")
    answer = bench("logs", task.key[:8])
    assert answer.out == "one\n\\x1b[31mtwo�\n\ttwo�\nthree\n"
    assert bench("logs", task.key, "-n", "1").out == "three\n"
    assert bench("logs", str(log.parent), "-n", "0").out == ""
    assert bench("logs", task.key, "-f").out == answer.out
    answer = bench("logs", "ffff")
    assert answer.code == Exit.NOTHING
    assert "no task under a key that begins with 'ffff' has a log yet" in answer.err
    write_log(store, trials[1].trainings[0], b"")
    assert "2 tasks have keys that begin with ''" in bench("logs", "").err


def test_a_log_is_followed_until_its_task_ends(store, trials, monkeypatch):
    monkeypatch.setattr("bench.trials.task_logs._POLL_SECONDS", 0.0)
    task = trials[0].trainings[0]
    log = write_log(store, task, b"old\none\n")
    steps = iter([True, True, False])

    def runs_on():
        going_on = next(steps)
        if going_on and b"three" not in log.read_bytes():
            # Another attempt begins: its log is a new file.
            with log.open("ab") as stream:
                stream.write(b"two\n")
            new = log.with_name("new")
            new.write_bytes(b"three\n")
            lines.append("replaced")
            replace.append(new)
        return going_on

    lines, replace = [], []
    for line in follow(log, 1, runs_on):
        lines.append(line)
        if line == "two":
            replace.pop().replace(log)
    assert lines == ["one", "replaced", "two", "three"]


def test_nothing_that_runs_cannot_be_cancelled(bench, store):
    store.root.mkdir()
    answer = bench("cancel", "tiny")
    assert answer.code == Exit.NOTHING
    assert (
        "no running suite is called 'tiny', and no running task has a key that begins so"
        in answer.err
    )


def test_a_task_is_cancelled_by_its_key(bench, going_on, trials):
    tasks = grid.tasks(trials)
    answer = bench("cancel", tasks[1].key[:10])
    assert answer.code == Exit.DONE
    assert "cancelled cnn-bilstm · radial-ctc · seed 0 in process" in answer.err
    wait_for(lambda: going_on._requests == [tasks[1].key])
    assert "several running or queued tasks" in bench("cancel", "").err


@pytest.mark.slow
def test_a_real_run_is_watched_and_cancelled(home, bench, start_bench, store):
    text = (home / "bench.toml").read_text()
    (home / "bench.toml").write_text(text.replace("epochs = 1", "epochs = 4000"))
    run = start_bench("run", "tiny", "--executor", "inline", "--no-profile")
    wait_for(lambda: [task.step for run in live_runs.live_runs(store.root) for task in run.running])

    def running():
        (live,) = live_runs.live_runs(store.root)
        return [task.key for task in live.running]

    wait_for(lambda: bench("logs", running()[0]).out.count("step") > 1)
    (first,) = running()
    followed = []
    follower = threading.Thread(target=lambda: followed.append(bench_logs(start_bench, first)))
    follower.start()
    time.sleep(1)
    assert bench("cancel", first).code == Exit.DONE
    follower.join(30)
    assert "step" in followed[0]
    wait_for(lambda: running() not in ([], [first]))
    assert bench("cancel", "tiny").code == Exit.DONE
    _, err = run.communicate(timeout=60)
    assert run.returncode == Exit.INTERRUPTED
    assert "interrupted; what is done is kept" in err
    assert live_runs.live_runs(store.root) == []
    assert bench("cancel", "tiny").code == Exit.NOTHING


def bench_logs(start_bench, key):
    out, _ = start_bench("logs", key, "-f").communicate(timeout=60)
    return out

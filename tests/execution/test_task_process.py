"""Calls in processes of their own, and what is left of them."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from processes import alive, gone

from bench.execution import forked, task_process
from bench.execution.forked import running_server
from bench.execution.task_process import TaskProcess, local_gpus
from bench.trials.events import Finished, Started
from bench.trials.records import Attempt

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def calls():
    """Return the module tests/calls.py, which new processes can import."""
    spec = importlib.util.spec_from_file_location("calls", TESTS / "calls.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TESTS)
        patch.setitem(sys.modules, "calls", module)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(params=["forked", pytest.param("spawned", marks=pytest.mark.slow)])
def way(request, monkeypatch):
    """Return how processes start: by a fork of a server, or as on systems that cannot fork it."""
    if request.param == "spawned":
        monkeypatch.setattr(task_process, "can_fork", lambda: False)
    return request.param


@pytest.fixture
def spawned(monkeypatch):
    """Start processes as on systems that cannot fork a server."""
    monkeypatch.setattr(task_process, "can_fork", lambda: False)


BOTH = pytest.mark.usefixtures("way")


def run(function, *arguments, **more):
    process = TaskProcess(function, arguments, **more)
    try:
        return [*process.reports()]
    finally:
        process.kill()


def words(reports):
    return [report.device for report in reports if isinstance(report, Started)]


def test_events_come_in_order(calls):
    reports = run(calls.reports, "a", "b")
    assert words(reports) == ["a", "b"]
    assert isinstance(reports[-1], Finished)


@pytest.mark.slow
@pytest.mark.usefixtures("spawned")
def test_a_new_interpreter_has_imported_what_tasks_need(calls):
    *reports, last = run(calls.imported, "torch", "pandas", "bench.tasks.train")
    assert words(reports) == ["True True True"]
    assert isinstance(last, Finished)


@pytest.mark.usefixtures("spawned")
def test_a_system_that_starts_no_process_is_one_sentence(calls, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere")
    (attempt,) = run(calls.reports)
    assert attempt.cause == "lost worker"
    assert attempt.message.startswith("no process can be started for a task ([Errno 2]")
    monkeypatch.delattr(os, "killpg")
    (attempt,) = run(calls.reports)
    assert "process groups of POSIX, which Windows does not have" in attempt.message


@BOTH
def test_each_call_has_a_process_of_its_own(calls, tmp_path):
    pids = [words(run(calls.ends, "raise"))[0] for _ in range(3)]
    assert len({*pids, os.getpid()}) == 4


@BOTH
def test_a_process_sees_what_this_one_has_at_its_start(calls, tmp_path, monkeypatch):
    run(calls.reports)
    monkeypatch.setenv("SEEN", "now")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("elsewhere")
    seen, gpus, folder, path = words(run(calls.looks, gpus=[3]))
    assert (seen, gpus, folder) == ("now", "3", str(tmp_path))
    assert str(tmp_path / "elsewhere") in path
    assert words(run(calls.looks))[1] == ""
    assert words(run(calls.looks, gpus=["GPU-a", "GPU-b"]))[1] == "GPU-a,GPU-b"


@BOTH
def test_a_process_may_compute_in_threads(calls):
    assert words(run(calls.computes, 2)) == [f"{512**3} False"]


@pytest.mark.gpu
def test_each_process_may_use_a_gpu(calls):
    for _ in range(2):
        assert words(run(calls.sums_on_gpu, gpus=["0"])) == ["8 1"]


def test_processes_that_prefetch_are_in_the_group_and_a_fork_has_imported_for_them(calls, way):
    assert words(run(calls.loads, prefetches=True)) == [f"{way == 'forked'} True"]


@BOTH
@pytest.mark.parametrize(
    ("how", "cause", "message"),
    [
        ("exit", "lost worker", "its process exited with code 7 before it had reported an end"),
        ("system exit", "lost worker", "its process exited with code 3 before it had reported"),
        ("kill", "lost worker", "its process was killed by SIGKILL"),
        ("crash", "lost worker", "its process was killed by SIGSEGV"),
        ("raise", "error", "RuntimeError: the disk is on fire"),
    ],
)
def test_a_process_that_ends_is_one_sentence(calls, how, cause, message):
    *_, last = run(calls.ends, how)
    assert isinstance(last, Attempt)
    assert last.cause == cause
    assert last.message.startswith(message)


def test_a_kill_while_the_kernel_lacks_memory_is_out_of_memory(calls, monkeypatch):
    counts = iter(range(100))
    monkeypatch.setattr(task_process, "out_of_memory_kills", lambda: next(counts))
    *_, killed = run(calls.ends, "kill")
    *_, exited = run(calls.ends, "exit")
    assert (killed.cause, exited.cause) == ("out of memory", "lost worker")
    assert "killed by SIGKILL as the machine had no memory left" in killed.message


def test_what_cannot_be_sent_is_one_sentence(calls):
    (attempt,) = run(calls.reports, lambda: None)
    assert attempt.cause == "configuration"
    assert "cannot be sent to a new process" in attempt.message
    assert "--in-process" in attempt.message


@BOTH
def test_what_cannot_be_imported_there_is_one_sentence(calls, monkeypatch):
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(TESTS)])
    (attempt,) = run(calls.reports, "a")
    assert attempt.cause == "configuration"
    assert "ModuleNotFoundError: No module named 'calls'" in attempt.message


@BOTH
def test_killing_ends_the_processes_below_too(calls, tmp_path):
    file = tmp_path / "pids"
    process = TaskProcess(calls.hangs, (str(file),))
    assert isinstance(process.poll(60.0), Started)
    pids = [int(pid) for pid in file.read_text().split()]
    assert process.pid == pids[0]
    assert process.poll(0.01) is None
    process.kill()
    assert gone(*pids)
    assert process.poll(0.01) is None
    process.kill()


@pytest.mark.slow
def test_a_dead_server_is_replaced_and_its_children_end(calls, tmp_path):
    file = tmp_path / "pids"
    process = TaskProcess(calls.hangs, (str(file),))
    assert isinstance(process.poll(60.0), Started)
    os.kill(running_server().pid, signal.SIGKILL)
    (attempt,) = process.reports()
    assert (attempt.cause, attempt.message) == (
        "lost worker",
        "its process was lost, with the one that started it",
    )
    assert gone(*(int(pid) for pid in file.read_text().split()))
    assert words(run(calls.reports, "again")) == ["again"]


def test_a_server_that_cannot_start_is_one_sentence(calls, monkeypatch):
    monkeypatch.setattr(forked, "_servers", [])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    (attempt,) = run(calls.reports)
    assert attempt.cause == "lost worker"
    assert "has ended twice before it forked one" in attempt.message


@pytest.mark.parametrize("guard", ["server", pytest.param("child", marks=pytest.mark.slow)])
def test_nothing_outlives_a_killed_client(calls, tmp_path, guard):
    file = tmp_path / "pids"
    program = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "import calls\n"
        "from bench.execution.forked import running_server\n"
        "from bench.execution.task_process import TaskProcess\n"
        "assert [*TaskProcess(calls.writes, ('noise',)).reports()]\n"
        f"process = TaskProcess(calls.hangs, ({str(file)!r},))\n"
        "process.poll(60.0)\n"
        "print(running_server().pid, flush=True)\n"
        "process.poll(600.0)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as client:
        # What a task prints is no output of bench, which may be JSON.
        server = int(client.stdout.readline())
        assert client.stderr.readline() == "noise\n"
        pids = [int(pid) for pid in file.read_text().split()]
        assert all(alive(pid) for pid in (*pids, server))
        if guard == "child":
            # A server that is stopped cannot end its children: they watch for themselves.
            os.kill(server, signal.SIGSTOP)
        client.kill()
        client.wait()
        assert gone(*pids)
        if guard == "child":
            os.kill(server, signal.SIGCONT)
        assert gone(server)
        assert client.communicate() == ("", "")


@pytest.mark.slow
def test_no_new_interpreter_outlives_a_killed_client(calls, tmp_path):
    file = tmp_path / "pids"
    program = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "import calls\n"
        "from bench.execution import task_process\n"
        "task_process.can_fork = lambda: False\n"
        "assert [*task_process.TaskProcess(calls.writes, ('noise',)).reports()]\n"
        f"process = task_process.TaskProcess(calls.hangs, ({str(file)!r},))\n"
        "process.poll(60.0)\n"
        "print('hangs', flush=True)\n"
        "process.poll(600.0)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as client:
        assert client.stdout.readline() == "hangs\n"
        assert client.stderr.readline() == "noise\n"
        pids = [int(pid) for pid in file.read_text().split()]
        assert all(alive(pid) for pid in pids)
        client.kill()
        client.wait()
        assert gone(*pids)
        assert client.communicate() == ("", "")


@pytest.mark.parametrize(
    ("share", "visible", "given"),
    [
        (0.0, None, []),
        (0.5, None, ["0"]),
        (1.0, None, ["0"]),
        (1.0, "2,3", ["2"]),
        (0.5, "GPU-a", ["GPU-a"]),
        (1.0, "", []),
        (0.0, "2,3", []),
    ],
)
def test_a_task_of_this_machine_has_the_first_gpus_it_reserves(
    evaluations, monkeypatch, share, visible, given
):
    task = evaluations[0].training
    task = task.with_resources(replace(task.resources, gpus=share))
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert local_gpus(task) == given

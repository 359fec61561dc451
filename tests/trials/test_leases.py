"""Leases: one process at a time works on a task, also across machines and after any end of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest

from bench.trials import leases
from bench.trials.leases import Holder, Leases

_HOLD = """
import sys, time
from pathlib import Path
from bench.trials.leases import Leases
with Leases(Path(sys.argv[1])) as held:
    print(held.take("task"), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Return a process of its own that holds the lease "task"."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "None\n"
        yield process
        process.kill()


def test_a_lease_is_of_one_process_until_that_one_is_killed(tmp_path, other) -> None:
    with Leases(tmp_path) as mine:
        assert mine.take("task").pid == other.pid
        assert mine.take("another") is None
        other.kill()
        other.wait()
        assert mine.take("task") is None
        assert mine.take("task") is None


def test_a_process_that_is_stopped_keeps_its_lease(tmp_path, other, monkeypatch) -> None:
    monkeypatch.setattr(leases, "EXPIRY_SECONDS", 0.0)
    other.send_signal(signal.SIGSTOP)
    with Leases(tmp_path) as mine:
        assert mine.take("task").pid == other.pid
        assert mine.take("task").pid == other.pid


def _left_by(tmp_path: Path, **changes) -> Path:
    file = tmp_path / "leases" / "task.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.encode(Holder(**changes)))
    return file


def test_a_lease_of_another_machine_ends_without_heartbeats(tmp_path, monkeypatch) -> None:
    file = _left_by(tmp_path, host="far", boot="another", pid=7)
    with Leases(tmp_path) as mine:
        assert str(mine.take("task")) == "process 7 on far"
        monkeypatch.setattr(leases, "EXPIRY_SECONDS", 0.0)
        os.utime(file, ns=(1, 1))
        assert mine.take("task"), "its clock is of no concern, only that it beats"
        assert mine.take("task") is None


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\0" * 10_000])
def test_a_lease_that_was_never_written_whole_is_taken(tmp_path, content) -> None:
    _left_by(tmp_path).write_bytes(content)
    with Leases(tmp_path) as mine:
        assert mine.take("task") is None
    assert not (tmp_path / "leases").exists()


def test_heartbeats_are_seen_from_outside(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)
    with Leases(tmp_path) as mine:
        mine.take("task")
        file = tmp_path / "leases" / "task.json"
        os.utime(file, ns=(1, 1))
        ends = time.monotonic() + 60
        while file.stat().st_mtime_ns == 1:
            assert time.monotonic() < ends
            time.sleep(0.01)


def _take_all(root: Path, names: list[str]) -> list[str]:
    with Leases(root) as mine:
        taken = [name for name in names if mine.take(name) is None]
        mine_only = [name for name in taken if not (root / name).exists()]
        for name in mine_only:
            (root / name).touch(exist_ok=False)
            mine.release(name)
    return mine_only


def test_of_many_processes_one_gets_each_task(tmp_path) -> None:
    names = [f"task{number}" for number in range(200)]
    with get_context("spawn").Pool(3) as pool:
        taken = pool.starmap(_take_all, [(tmp_path, names)] * 3)
    assert sorted(name for each in taken for name in each) == sorted(names)

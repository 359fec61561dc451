"""Folders for sockets: the system has no room for the path of one in a deep TMPDIR."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bench.core import short_folder
from bench.core.errors import BenchError
from bench.core.short_folder import MAX_BASE, make_short_folder

ELSEWHERE = short_folder._ELSEWHERE


@pytest.fixture
def deep(tmp_path):
    """Return a folder like the temporary one of a cluster's job."""
    folder = tmp_path / "scratch/slurm_jobdir/1355700/tmp.t0016" / ("x" * 60)
    folder.mkdir(parents=True)
    return folder


def test_a_short_private_folder_is_made_where_tmpdir_is_deep(deep, monkeypatch):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(deep))
    folder = Path(make_short_folder())
    try:
        assert folder.parent == Path(ELSEWHERE[0])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()


def test_ray_tmpdir_comes_first(monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", ELSEWHERE[1])
    folder = Path(make_short_folder())
    folder.rmdir()
    assert folder.parent == Path(ELSEWHERE[1])


def test_where_no_folder_will_do_each_is_said_with_its_fault(deep, monkeypatch):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setattr(short_folder, "_ELSEWHERE", ("/nowhere", ELSEWHERE[0]))
    monkeypatch.setattr(short_folder, "_MIN_FREE", 2**60)
    with pytest.raises(BenchError) as raised:
        make_short_folder()
    assert str(raised.value) == (
        f"no folder for sockets and logs: {deep} has too long a path, /nowhere is not a folder, "
        f"{ELSEWHERE[0]} has less than {2**40} MiB free; set RAY_TMPDIR to a writable "
        f"folder with a path of at most {MAX_BASE} characters, or run with --executor inline"
    )


def test_sockets_of_multiprocessing_fit_in_spite_of_a_deep_tmpdir(deep):
    source = """\
from multiprocessing.connection import Listener
from bench.core.short_folder import keep_sockets_short
keep_sockets_short()
with Listener(family="AF_UNIX") as listener:
    print(listener.address)
"""
    environment = os.environ | {"TMPDIR": str(deep)}
    answer = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert not Path(answer.stdout.strip()).parent.exists(), "it is removed at the end"

"""Where nothing more can be written, a sentence says where and what to do; no part is left."""

from __future__ import annotations

import errno
import os
import resource
import sys
import time
from contextlib import contextmanager

import pytest

from bench.core.documents import write_bytes
from bench.core.errors import one_line
from bench.tasks.task import fail, failed_attempt, run_task
from bench.trials import store as disk
from bench.trials.events import Failed
from bench.trials.leases import Leases


@contextmanager
def limited(size: int):
    """Let files of this process have at most so many bytes, as a full disk would."""
    before, bytecode = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    # Python 3.11 does not notice that it has written half a file, and never imports it again.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode


def test_a_file_that_cannot_be_written_is_named_and_leaves_no_part(tmp_path):
    file = tmp_path / "weights.safetensors"
    write_bytes(file, b"before")
    with limited(1000), pytest.raises(OSError, match="File too large") as caught:
        write_bytes(file, b"x" * 5000)
    assert caught.value.filename == str(file)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space there and run it again; what is done is kept"),
        (errno.EROFS, "name another folder, or have this one mounted for writing"),
        (errno.EFBIG, "raise the limit on the size of files"),
    ],
)
def test_the_sentence_of_the_system_has_the_file_and_what_to_do(number, remedy):
    error = OSError(number, os.strerror(number), "results/x.json")
    assert one_line(error).startswith(f"results/x.json: {os.strerror(number)}; {remedy}")


def test_what_a_killed_process_left_is_removed_by_a_later_write(tmp_path):
    old, new = (tmp_path / f".board.json.{name * 32}.part" for name in "ab")
    for part in (old, new):
        part.write_text("half")
    then = time.time() - 7200
    os.utime(old, (then, then))
    write_bytes(tmp_path / "README.md", b"# Board")
    assert not old.exists()
    assert new.exists()


def test_a_failure_that_cannot_be_written_ends_no_run(trials, store):
    training = trials[0].trainings[0]
    with limited(0):
        *_, last = run_task(training, store)
        failure = fail(training, store, [failed_attempt("error", "no")])
    assert isinstance(last, Failed)
    assert failure.message == "no"
    assert [path.name for path in store.folder(training).iterdir()] == [disk.LOG]


def test_a_lease_can_be_taken(tmp_path):
    with Leases(tmp_path) as mine, Leases(tmp_path) as others:
        with limited(0):
            assert mine.take("task") is None
        assert others.take("task")


def test_a_verb_says_where_nothing_could_be_written(bench, home, finish, trials):
    finish(trials)
    with limited(100):
        answer = bench("board", "tiny")
    assert answer.code == 2
    assert str(home / "results" / "boards" / "tiny") in answer.err
    assert "raise the limit on the size of files" in answer.err

"""Signals at each moment of a command: one line that says what resumes, and exit code 130."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def start_slowly(home):
    """Return a function that starts the command line, and tells of each module that it imports."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "bench", *words],
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def interrupted(process, number, module):
    """Send a signal once a module was imported; return what is printed besides imports."""
    for line in process.stderr:
        if line.rstrip().endswith(f" {module}"):
            process.send_signal(number)
            break
    _, err = process.communicate(timeout=60)
    return [line for line in err.splitlines() if not line.startswith("import time:")]


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("run tiny", "click.types"),
        ("run tiny --executor inline", "bench.cli.lazy"),
        ("data prepare iam", "bench.core.errors"),
        ("verify", "bench.core.errors"),
        ("ls", "msgspec._core"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_bench_is_imported_is_an_interrupt(start_slowly, words, module, number):
    process = start_slowly(*words.split())
    lines = interrupted(process, number, module)
    resumes = f"interrupted; what is done is kept, this resumes: bench {words}"
    assert [line for line in lines if line] == [resumes]
    assert process.returncode == 130


def test_a_profile_that_a_signal_meets_while_torch_is_imported_ends(start_slowly):
    process = start_slowly("profile", "tiny")
    lines = interrupted(process, signal.SIGTERM, "torch.storage")
    assert process.returncode == 130
    assert lines[-1] == "interrupted; what is done is kept, this resumes: bench profile tiny"
    assert not re.search("not profiled|Error", "\n".join(lines))


def test_many_signals_end_a_run_like_one(home, start_bench):
    process = start_bench("run", "tiny", "--executor", "inline")
    for line in process.stderr:
        if line.startswith("[1/8]"):
            break
    while process.poll() is None:
        process.send_signal(signal.SIGTERM if time.monotonic() % 1 < 0.5 else signal.SIGINT)
        time.sleep(0.01)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith("this resumes: bench run tiny --executor inline")
    assert "Traceback" not in err

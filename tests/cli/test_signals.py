"""Signals at each moment of a command: one line that says what resumes, and exit code 130."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

SIGNALLED = """\
import os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["MODULE"]:
            os.kill(os.getpid(), int(os.environ["NUMBER"]))

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def signalled(home, tmp_path_factory):
    """Return a function that runs a command, which gets a signal as it imports a module.

    It returns the exit code and the lines of stderr.
    """
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SIGNALLED)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(words, module, number):
        environment = {"PYTHONPATH": path, "MODULE": module, "NUMBER": str(int(number))}
        answer = subprocess.run(
            [sys.executable, "-m", "bench", *words.split()],
            cwd=home,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return answer.returncode, [line for line in answer.stderr.splitlines() if line]

    return run


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("run tiny", "bench.cli"),
        ("board tiny", "click.types"),
        ("run tiny --executor inline", "bench.cli.lazy"),
        ("data prepare iam", "bench.core.errors"),
        ("verify", "bench.core.errors"),
        ("ls", "msgspec._core"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_bench_is_imported_is_an_interrupt(signalled, words, module, number):
    resumes = f"interrupted; what is done is kept, this resumes: bench {words}"
    assert signalled(words, module, number) == (130, [resumes])


@pytest.mark.slow
def test_a_profile_that_a_signal_meets_while_torch_is_imported_ends(signalled):
    code, lines = signalled("profile tiny", "torch.storage", signal.SIGTERM)
    assert code == 130
    assert lines[-1] == "interrupted; what is done is kept, this resumes: bench profile tiny"
    assert not re.search("not profiled|Error", "\n".join(lines))


@pytest.mark.slow
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


ABORTS = """\
import os, sys

class Aborts:
    def __del__(self):
        os.abort()

# It is given up as the interpreter ends, like the threads of a native library.
sys.aborts = Aborts()
"""
PASSES_EXEC = """\
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    pass
"""


@pytest.mark.parametrize("code", [ABORTS, PASSES_EXEC], ids=["abort", "exec"])
def test_what_happens_after_a_command_does_not_change_its_exit_code(home, start_bench, code):
    (home / "plugin.py").write_text(code)
    process = start_bench("ls", "protocols", "--plugin", "plugin.py")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "str-36" in out


def test_ctrl_c_is_how_view_ends(home):
    command = [sys.executable, "-m", "bench", "view", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=home, text=True, **pipes) as process:
        try:
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            # It names the way to stop it just before it serves.
            assert "stop with Ctrl-C" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")

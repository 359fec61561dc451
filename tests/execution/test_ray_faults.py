"""A real Ray that is slow, lost or interrupted: one sentence, nothing lost, no process left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from processes import marked, none_marked

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.slow]

RUN = ("run", "tiny", "--no-profile")
RESUMES = "what is done is kept, this resumes: bench run tiny --no-profile"


class Started:
    """A command of bench, whose processes are all marked in their environment."""

    def __init__(self, start_bench, *words, **environment):
        self.mark = f"bench-{uuid.uuid4()}"
        environment = {"MARK": self.mark} | environment
        self.process = start_bench(*(words or RUN), **environment)

    def await_line(self, part):
        """Wait for a line of stderr."""
        assert any(part in line for line in self.process.stderr)

    def pids(self, *names):
        """Return its processes by a part of their command lines, waiting for the first."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if found := [pid for pid in marked(self.mark) if any(n in command(pid) for n in names)]:
                return found
            time.sleep(0.02)
        raise AssertionError(names)

    def end(self, seconds=60):
        """Wait for its end; return its exit code and the last line of stderr."""
        began = time.monotonic()
        _, err = self.process.communicate(timeout=120)
        assert time.monotonic() - began < seconds
        assert "Traceback" not in err
        assert "(raylet)" not in err
        assert none_marked(self.mark)
        return self.process.returncode, err.splitlines()[-1] if err else ""


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture
def start(start_bench):
    """Return a function that starts `bench run`, or another command."""
    return lambda *words, **environment: Started(start_bench, *words, **environment)


def longer(home):
    """Let the suite run for a while."""
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("epochs = 1", "epochs = 200"))


GONE = "Ray's GCS on this machine is gone: it has not answered for 10 s (Connection refused)"


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        (("gcs_server",), GONE),
        (("raylet/raylet",), "Ray has ended on this machine: its raylet is gone"),
        (("gcs_server", "raylet", "ray::"), GONE),
    ],
)
def test_a_run_whose_ray_is_killed_ends_with_what_resumes(home, start, names, cause):
    longer(home)
    run = start()
    run.await_line("started on cpu")
    for pid in run.pids(*names):
        os.kill(pid, signal.SIGKILL)
    assert run.end(seconds=30) == (1, f"bench: {cause}; {RESUMES}")
    assert not [*home.glob("results/**/failure.json")]


@pytest.mark.parametrize("name", ["gcs_server", "raylet/raylet"])
def test_a_signal_while_ray_starts_ends_in_order(home, start, name):
    run = start()
    run.pids(name)
    run.process.send_signal(signal.SIGTERM)
    assert run.end(seconds=45) == (130, f"interrupted; {RESUMES}")


def test_further_signals_do_not_disturb_the_end_of_ray(home, start):
    longer(home)
    run = start()
    run.await_line("started on cpu")
    for number in (signal.SIGTERM, signal.SIGINT) * 5:
        run.process.send_signal(number)
        time.sleep(0.2)
    assert run.end() == (130, f"interrupted; {RESUMES}")


def test_a_ray_that_is_slow_to_start_is_waited_for(start):
    run = start(*RUN, "--limit", "1")
    (raylet,) = run.pids("raylet/raylet")
    os.kill(raylet, signal.SIGSTOP)
    threading.Timer(33, os.kill, (raylet, signal.SIGCONT)).start()
    assert run.end(seconds=110)[0] == 0


def test_a_deep_tmpdir_and_a_home_that_cannot_be_written_are_no_obstacles(home, start):
    deep = home / "scratch/slurm_jobdir/1355700/tmp.t0016" / ("x" * 60)
    deep.mkdir(parents=True)
    file = home / "bench.toml"
    file.write_text(file.read_text() + "\n[suite.tiny.resources]\nworkers = 1\n")
    run = start(*RUN, "--limit", "1", TMPDIR=str(deep), HOME="/proc/none")
    code, last = run.end(seconds=110)
    assert code == 0, last


@pytest.fixture
def head(tmp_path_factory):
    """Start the head of a cluster that requires a token; return its address, home and mark."""
    folder = tmp_path_factory.mktemp("head")
    (folder / ".ray").mkdir()
    (folder / ".ray/auth_token").write_text(uuid.uuid4().hex * 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    mark = f"bench-{uuid.uuid4()}"
    words = f"start --head --port {port} --num-cpus 1 --include-dashboard false"
    source = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
    environment = {"HOME": str(folder), "RAY_AUTH_MODE": "token", "MARK": mark}
    environment |= {"TMPDIR": "/tmp", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}  # noqa: S108 (short)
    subprocess.run(
        [sys.executable, "-c", source, *words.split()],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    yield f"127.0.0.1:{port}", folder, mark
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def test_a_cluster_with_a_token_is_joined_with_it_only_and_its_loss_is_said(home, start, head):
    address, folder, mark = head
    words = (*RUN, "--address", address)
    other = home / "home"
    other.mkdir()
    code, last = start(*words, HOME=str(other)).end(seconds=30)
    assert code == 2
    assert last.startswith(f"bench: the Ray cluster at '{address}' takes no process without its")

    longer(home)
    run = start(*words, HOME=str(folder), RAY_AUTH_MODE="token")
    run.await_line("started on cpu")
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)
    code, last = run.end(seconds=30)
    assert code == 1
    assert last.startswith(f"bench: the Ray cluster at '{address}' is gone")
    assert last.endswith(f"{RESUMES} --address {address}")
    done = [json.loads(file.read_text()) for file in home.glob("results/**/failure.json")]
    assert done == []

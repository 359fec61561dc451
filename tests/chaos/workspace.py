"""A folder in which bench is disturbed, and what has to hold of it afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCH_TOML = """\
[suite.small]
about = "Two digits, three epochs."
protocol = "digits"
seeds = [0, 1]
datasets = [{ name = "seq-digits", digits = 2, rounds = 2 }]
models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]
losses = ["ctc", "radial-ctc"]

[suite.small.recipe]
epochs = 3
batch_size = 16
learning_rate = 0.01

[suite.small.resources]
checkpoint_every = "5 steps"
"""
DOCUMENTED = {0, 1, 2, 3, 4, 5, 130}
TRACEBACK = "Traceback (most recent call last)"
_MOVING = {"timings", "seconds", "provenance", "attempts", "peak_memory"}
_CHECKOUT = Path(__file__).parents[2]
_SHARED_MEMORY = Path("/dev/shm")
_WAIT_SECONDS = 300.0
_SETTLE_SECONDS = 60.0


class BrokenPromiseError(AssertionError):
    """Something that was promised did not hold."""


def require(condition: object, fault: str) -> None:
    """Raise BrokenPromiseError with `fault` where the condition does not hold."""
    if not condition:
        raise BrokenPromiseError(fault)


@dataclass
class Run:
    """A `bench` process that may be disturbed."""

    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        """Return what it has printed so far, on both streams."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, line: str, seconds: float = 120.0) -> bool:
        """Wait until it has printed `line`, or ended; return whether it has printed it."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self.process.poll() is None:
            if line in self.text():
                return True
            time.sleep(0.02)
        return line in self.text()

    def end(self, seconds: float = _WAIT_SECONDS) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise BrokenPromiseError(f"{self} has not ended after {seconds:.0f} s") from None
        require(TRACEBACK not in self.text(), f"{self} printed a traceback:\n{self.text()}")
        require(code in DOCUMENTED or code < 0, f"{self} ended with {code}:\n{self.text()}")
        return code

    def __str__(self) -> str:
        return f"`bench {' '.join(self.words)}`"


@dataclass
class Workspace:
    """A folder of its own with a bench.toml, and all processes that were started in it.

    Attributes:
        folder: The folder.
        results: The folder of its results.
        mark: A text in the environment of all its processes.
        counts: What was done to it.
    """

    folder: Path
    results: Path
    mark: str = field(default_factory=lambda: f"bench-chaos-{uuid.uuid4()}")
    counts: dict[str, int] = field(default_factory=dict)
    _runs: int = 0

    @classmethod
    def make(cls, folder: Path) -> Workspace:
        """Make a folder with a bench.toml."""
        folder.mkdir(parents=True)
        (folder / "bench.toml").write_text(BENCH_TOML)
        return cls(folder, folder / "results")

    def count(self, what: str, number: int = 1) -> None:
        """Count something that was done."""
        self.counts[what] = self.counts.get(what, 0) + number

    def start(self, *words: str, **environment: str) -> Run:
        """Start `bench` with some words."""
        self._runs += 1
        output = self.folder / f"output-{self._runs}.txt"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench", *words],
                cwd=self.folder,
                env=self._environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Run(words, process, output)

    def call(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run `bench` to its end and return what it printed; its code has to be one of `codes`."""
        run = self.start(*words)
        code = run.end()
        require(code in codes, f"{run} ended with {code}:\n{run.text()}")
        return run.text()

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return os.environ | {
            "BENCH_RESULTS": str(self.results),
            "CHAOS": self.mark,
            "PYTHONPATH": str(_CHECKOUT),
            **more,
        }

    def processes(self) -> dict[int, str]:
        """Return the processes of this workspace that run, and their command lines."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except (OSError, UnicodeDecodeError):
                continue
            if self.mark.encode() in environment and state not in "ZX":
                found[int(folder.name)] = line
        return found

    def require_no_processes(self) -> None:
        """Wait for the end of all processes, which has to come by itself."""
        ends = time.monotonic() + _SETTLE_SECONDS
        while left := self.processes():
            require(time.monotonic() < ends, f"processes are left: {left}")
            time.sleep(0.2)

    def finished(self) -> dict[str, Any]:
        """Return what each record holds and the digests of its files, by its folder."""
        return {
            str(file.parent.relative_to(self.results)): _content(file)
            for name in ("training.json", "evaluation.json")
            for file in self.results.rglob(name)
        }


def _content(file: Path) -> dict[str, Any]:
    record = json.loads(file.read_bytes())
    files = {name: _digest(file.parent / name) for name in record["files"]}
    return {name: value for name, value in record.items() if name not in _MOVING} | {"held": files}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def shared_memory() -> set[str]:
    """Return the names of what is in shared memory."""
    return {each.name for each in _SHARED_MEMORY.iterdir()} if _SHARED_MEMORY.is_dir() else set()

"""The faults of the campaign: each disturbs bench in a workspace, and leaves it disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace import Run, Workspace, require

INLINE = ("run", "small", "--executor", "inline", "--no-profile")
RAY = ("run", "small", "--no-profile")
_TASKS = 8


class NotPossibleError(Exception):
    """This machine does not let the campaign do that, such as mount a disk."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: What it does.
        times: How often it is done in a campaign.
        disturb: Does it.
        resume: Runs what is left, and returns how many records the fault had left finished.
    """

    name: str
    times: int
    disturb: Callable[[Workspace, random.Random], None]
    resume: Callable[[Workspace, Mapping[str, Any]], int]


def _resume(work: Workspace, reference: Mapping[str, Any]) -> int:
    """Require that what is finished is whole, run the rest, and require an undisturbed result."""
    kept = work.finished()
    # Nothing to verify is 3.
    work.call("verify", codes=(0,) if kept else (0, 3))
    work.call(*INLINE)
    after = work.finished()
    for folder, content in kept.items():
        require(after.get(folder) == content, f"{folder} was finished, and has changed")
    require(after.keys() == reference.keys(), "other records than those of an undisturbed run")
    for folder, content in reference.items():
        require(after[folder] == content, f"{folder} is not what an undisturbed run leaves")
    work.call("verify")
    return len(kept)


def _prepared(work: Workspace) -> dict[str, Any]:
    """Return what prepared data consist of."""
    file = work.folder / "data" / "synth90k-synthetic" / "prepared.json"
    require(file.is_file(), f"{file} is missing")
    return dict(json.loads(file.read_bytes())["parts"])


def _kill_preparing(work: Workspace, chance: random.Random) -> None:
    """Kill `bench data prepare` at random moments, until it ends by itself."""
    source = work.folder / "raw"
    work.call("data", "synth", "synth90k", "--count", "3000", "--out", str(source))
    for _ in range(3):
        run = work.start("data", "prepare", "synth90k", "--source", str(source))
        if _wait(run, chance.uniform(0.1, 2.0)):
            number = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
            work.count("kills" if number == signal.SIGKILL else "signals")
            kill(run.process.pid, number)
        code = run.end()
        require(code <= 0 or code == 130, f"{run} ended with {code}:\n{run.text()}")


def _resume_preparing(work: Workspace, reference: Mapping[str, Any]) -> int:
    """Require that preparing resumes and ends with what it ends with undisturbed."""
    words = ("data", "prepare", "synth90k", "--source", str(work.folder / "raw"))
    work.call(*words)
    resumed = _prepared(work)
    litter = [str(file) for file in work.folder.rglob("*.part*")]
    require(not litter, f"unfinished files are left: {litter}")
    work.call("data", "check", "synth90k-synthetic", codes=(0, 5))
    work.call(*words, "--force")
    require(resumed == _prepared(work), "resumed, other data are prepared than in one go")
    return 0


def _wait_for_moment(run: Run, chance: random.Random) -> bool:
    """Wait until some moment of a run of all tasks; return whether it still runs then.

    On every machine, some moments are while it starts, and most are while tasks run.
    """
    if chance.random() < 0.3:
        return _wait(run, chance.uniform(0.05, 3.0))
    ended = chance.randrange(_TASKS)
    run.wait_for(f"[{ended}/{_TASKS}]")
    return _wait(run, chance.uniform(0.0, 1.0))


def _wait(run: Run, seconds: float) -> bool:
    """Wait some seconds; return whether the process still runs then."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and run.process.poll() is None:
        time.sleep(0.01)
    return run.process.poll() is None


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process, unless it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _kill_driver(words: tuple[str, ...]) -> Callable[[Workspace, random.Random], None]:
    def disturb(work: Workspace, chance: random.Random) -> None:
        run = work.start(*words)
        if _wait_for_moment(run, chance):
            work.count("kills")
            kill(run.process.pid)
        run.end()

    return disturb


def _kill_task(words: tuple[str, ...]) -> Callable[[Workspace, random.Random], None]:
    """Return a fault that kills a process of a task, which fails alone."""

    def disturb(work: Workspace, chance: random.Random) -> None:
        run = work.start(*words)
        require(run.wait_for("started on"), f"{run} started no task:\n{run.text()}")
        _wait_for_moment(run, chance)
        tasks = [
            pid for pid, line in work.processes().items() if _is_task(pid, line, run.process.pid)
        ]
        if tasks:
            work.count("kills")
            kill(chance.choice(tasks))
        code = run.end()
        require(code in {0, 1}, f"{run} ended with {code}:\n{run.text()}")
        if code == 1:
            require("failed" in run.text(), f"{run} says of no failure:\n{run.text()}")

    return disturb


def _is_task(pid: int, line: str, driver: int) -> bool:
    """Return whether a process runs a task: a fork that is neither the driver nor of Ray."""
    return pid != driver and "ray" not in line and "resource_tracker" not in line


def _kill_ray(work: Workspace, chance: random.Random) -> None:
    names = ("gcs_server", "raylet", "log_monitor", "ray::", "")
    name = chance.choice(names)
    run = work.start(*RAY)
    require(run.wait_for("started on"), f"{run} started no task:\n{run.text()}")
    _wait(run, chance.uniform(0.0, 3.0))
    victims = [
        pid
        for pid, line in work.processes().items()
        if pid != run.process.pid and _is_ray(line) and name in line
    ]
    for pid in victims:
        work.count("kills")
        kill(pid)
    code = run.end()
    said = run.text().splitlines()
    require(code in {0, 1, 2, 130}, f"{run} ended with {code} after the end of '{name}'")
    if code:
        require(said and len(said[-1]) > 20, f"{run} says nothing of the end of '{name}':\n{said}")


def _is_ray(line: str) -> bool:
    return "ray" in line and "-m bench" not in line


def _signal(words: tuple[str, ...]) -> Callable[[Workspace, random.Random], None]:
    def disturb(work: Workspace, chance: random.Random) -> None:
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        run = work.start(*words)
        began = time.monotonic()
        if not _wait_for_moment(run, chance):
            run.end()
            return
        seconds = time.monotonic() - began
        for _ in range(chance.choice([1, 1, 2, 3])):
            work.count("signals")
            kill(run.process.pid, number)
            time.sleep(chance.uniform(0.0, 0.5))
        code = run.end(120.0)
        # Before Python runs any code, the system's own answer to a signal holds.
        early = code == -number and seconds < 0.3 and not run.text()
        require(
            code in {0, 130} or early,
            f"{run}: {number.name} after {seconds:.2f} s ended with {code}:\n{run.text()}",
        )
        if code == 130:
            last = run.text().rstrip().splitlines()[-1]
            require("interrupted" in last, f"{run} ended without its last line:\n{run.text()}")

    return disturb


def _signal_profiling(work: Workspace, chance: random.Random) -> None:
    """Signal while latencies are measured."""
    work.call(*INLINE)
    run = work.start("profile", "small")
    if run.wait_for("profiling"):
        _wait(run, chance.uniform(0.0, 6.0))
    if run.process.poll() is None:
        work.count("signals")
        kill(run.process.pid, chance.choice([signal.SIGINT, signal.SIGTERM]))
    code = run.end(60.0)
    require(code in {0, 130}, f"{run} ended with {code}:\n{run.text()}")


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "bench-chaos", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        raise NotPossibleError("it takes the right to mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _remount(folder: Path, options: str) -> bool:
    mount = ["mount", "-o", f"remount,{options}", str(folder)]
    return not subprocess.run(mount, capture_output=True).returncode


def _full_disk(work: Workspace, chance: random.Random) -> None:
    """Fill the disk of the results at a random moment, then give it room again."""
    disk = work.folder / "disk"
    with _mounted(disk, "20m"):
        inside = Workspace(work.folder, disk / "results", work.mark, work.counts)
        run = inside.start(*chance.choice([INLINE, RAY]))
        _wait_for_moment(run, chance)
        work.count("full disks")
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))
        code = run.end()
        require(code in {0, 1, 2}, f"{run} ended with {code}:\n{run.text()}")
        if code:
            require(
                "space" in run.text() or "free" in run.text(),
                f"{run} does not say that the disk is full:\n{run.text()}",
            )
        (disk / "filler").unlink()
        inside.call(*INLINE)
        left = [str(part) for part in disk.rglob("*.part")]
        require(not left, f"parts of files are left: {left}")
        _move(disk / "results", work.results)


def _read_only(work: Workspace, chance: random.Random) -> None:
    """Make the disk of the results read-only at a random moment, then writable again."""
    disk = work.folder / "disk"
    with _mounted(disk, "50m"):
        inside = Workspace(work.folder, disk / "results", work.mark, work.counts)
        run = inside.start(*INLINE)
        _wait_for_moment(run, chance)
        # It is refused while a file is open for writing.
        while not _remount(disk, "ro") and run.process.poll() is None:
            time.sleep(0.01)
        run.end()
        require(_remount(disk, "ro"), f"{run} has ended, and a file on {disk} is still open")
        work.count("read-only disks")
        refused = inside.start(*INLINE)
        code = refused.end()
        require(code == 2, f"{refused} ended with {code}:\n{refused.text()}")
        require("Read-only" in refused.text(), f"{refused} gives another reason:\n{refused.text()}")
        require(_remount(disk, "rw"), f"{disk} cannot be made writable again")
        inside.call(*INLINE)
        _move(disk / "results", work.results)


def _move(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _two_drivers(work: Workspace, chance: random.Random) -> None:
    """Run two drivers on one folder; one of them may be killed, the other does the rest."""
    runs = [work.start(*INLINE), work.start(*INLINE)]
    killed = None
    if chance.random() < 0.7:
        killed = chance.choice(runs)
        if _wait_for_moment(killed, chance):
            work.count("kills")
            kill(killed.process.pid)
    for run in runs:
        code = run.end()
        require(code == 0 or run is killed, f"{run} ended with {code}:\n{run.text()}")
    if killed is None:
        done = sum(run.text().count(": done in") for run in runs)
        require(done == _TASKS, f"{_TASKS} tasks were done {done} times")


def _lost_node(work: Workspace, chance: random.Random) -> None:
    """Kill one of two nodes of a Ray cluster in the middle of a run."""
    script = Path(__file__).with_name("two_nodes.py")
    environment = os.environ | {"CHAOS": work.mark, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    with subprocess.Popen(
        [sys.executable, str(script), f"{chance.uniform(8.0, 14.0):.1f}"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as cluster:
        assert cluster.stdin
        assert cluster.stdout
        try:
            address = cluster.stdout.readline().strip()
            require(address, "no cluster of two nodes starts")
            run = work.start(*RAY, "--address", address)
            cluster.stdin.write("kill\n")
            cluster.stdin.flush()
            work.count("nodes lost")
            code = run.end()
            require(code in {0, 1}, f"{run} ended with {code}:\n{run.text()}")
        finally:
            cluster.stdin.close()
            cluster.wait(60)


def _moved_clocks(work: Workspace, chance: random.Random) -> None:
    """Move the times of all files, as a clock that was wrong leaves them, and kill in between."""
    for _ in range(2):
        run = work.start(*INLINE)
        if _wait_for_moment(run, chance):
            work.count("kills")
            kill(run.process.pid)
        run.end()
        shift = chance.choice([-1, 1]) * chance.uniform(3600, 10 * 365 * 86400)
        for file in work.results.rglob("*"):
            status = file.stat()
            os.utime(file, (status.st_atime + shift, status.st_mtime + shift))
        work.count("clocks moved")


FAULTS = (
    Fault("kill the driver, inline", 4, _kill_driver(INLINE), _resume),
    Fault("kill the driver, Ray", 3, _kill_driver(RAY), _resume),
    Fault("kill a task, inline", 2, _kill_task(INLINE), _resume),
    Fault("kill a task, Ray", 2, _kill_task(RAY), _resume),
    Fault("kill processes of Ray", 3, _kill_ray, _resume),
    Fault("signal, inline", 5, _signal(INLINE), _resume),
    Fault("signal, Ray", 3, _signal(RAY), _resume),
    Fault("signal while profiling", 2, _signal_profiling, _resume),
    Fault("fill the disk", 2, _full_disk, _resume),
    Fault("disk turns read-only", 1, _read_only, _resume),
    Fault("two drivers", 2, _two_drivers, _resume),
    Fault("lose a node", 1, _lost_node, _resume),
    Fault("move the clocks", 1, _moved_clocks, _resume),
    Fault("kill preparing", 3, _kill_preparing, _resume_preparing),
)

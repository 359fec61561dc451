"""Leases: which process works on a task, so that several processes can share a folder of records.

results/leases/<name>.json   the process that works on the task (`Holder`); removed at its end

A lease is a lock on its file, which ends with the process, and a heartbeat, which is the file's
modification time. Between processes of one machine the lock decides. Shared file systems may not
share locks between machines, so a lease of another machine is valid as long as its heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

HEARTBEAT_SECONDS = 10.0
EXPIRY_SECONDS = 60.0
"""A lease of another machine expires after so many seconds without a heartbeat, by the clock of
this machine, because clocks of machines differ."""
_POLL_SECONDS = 0.5
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MAX_BYTES = 4096


def _boot() -> str:
    with suppress(OSError):
        return _BOOT.read_text(encoding="ascii").strip()
    return ""


@dataclass(frozen=True)
class Holder:
    """The process that works on a task.

    Attributes:
        host: The name of its machine.
        boot: The boot id of the machine, which changes with each start; empty if unknown.
        pid: The process id.
        since: The time at which it took the task, in UTC.
    """

    host: str = field(default_factory=platform.node)
    boot: str = field(default_factory=_boot)
    pid: int = field(default_factory=os.getpid)
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine, where its lock is visible."""
        return bool(self.boot) and self.boot == _boot()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Leases:
    """The leases of this process in one folder of records; all are released at the end."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "leases"
        self._held: dict[str, BinaryIO] = {}
        self._seen: dict[str, tuple[int, float]] = {}
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._heart.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._heart.join()
        for name in [*self._held]:
            self.release(name)
        with suppress(OSError):
            self._folder.rmdir()

    def take(self, name: str) -> Holder | None:
        """Take a lease; return the other process that has it, or None."""
        if name in self._held:
            return None
        file = self._folder / f"{name}.json"
        while True:
            try:
                stream = os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC), "r+b", 0)
            except FileNotFoundError:
                # The last process that held a lease has removed the folder.
                self._folder.mkdir(parents=True, exist_ok=True)
                continue
            holder = self._other(name, stream)
            if holder:
                stream.close()
                return holder
            with suppress(FileNotFoundError):
                if os.path.samestat(file.stat(), os.fstat(stream.fileno())):
                    break
            # Its holder has just released it and removed the file.
            stream.close()
        # On a full disk the lease is its lock alone.
        with suppress(OSError):
            stream.seek(0)
            stream.truncate()
            stream.write(msgspec.json.encode(Holder()))
        self._held[name] = stream
        return None

    def release(self, name: str) -> None:
        """Release a lease, if this process has it."""
        if (stream := self._held.pop(name, None)) is not None:
            # Before the lock ends: else another process could already have taken the lease.
            with suppress(OSError):
                (self._folder / f"{name}.json").unlink()
            stream.close()

    def _other(self, name: str, stream: BinaryIO) -> Holder | None:
        """Lock a lease; return the other process that holds it, or None."""
        locks = True
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(stream) or Holder(host="an unknown machine", boot="", pid=0)
        except OSError:
            # A file system without locks.
            locks = False
        holder = _holder(stream)
        if holder is None or (locks and holder.is_here) or self._expired(name, stream):
            return None
        return holder

    def _expired(self, name: str, stream: BinaryIO) -> bool:
        """Return whether the heartbeat of a lease has stopped, by the clock of this machine."""
        beat, now = os.fstat(stream.fileno()).st_mtime_ns, time.monotonic()
        seen, since = self._seen.setdefault(name, (beat, now))
        if seen != beat:
            self._seen[name] = beat, now
            return False
        return now - since >= EXPIRY_SECONDS

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            for stream in [*self._held.values()]:
                # It may have been released meanwhile; a missing disk is reported elsewhere.
                with suppress(OSError, ValueError):
                    os.utime(stream.fileno())


def is_held(root: Path, name: str) -> bool:
    """Return whether a process still holds a lease, without taking it.

    Args:
        root: The folder of records.
        name: The name of a lease that no other process takes, such as that of a run.
    """
    with suppress(OSError), (root / "leases" / f"{name}.json").open("rb") as stream:
        holder = _holder(stream)
        if holder is None or holder.is_here:
            return _is_locked(stream, holder)
        return _now(root) - os.fstat(stream.fileno()).st_mtime < EXPIRY_SECONDS
    return False


def _is_locked(stream: BinaryIO, holder: Holder | None) -> bool:
    """Return whether a lease is locked; without support of locks, whether its process is alive."""
    try:
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return holder is not None and _is_alive(holder.pid)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It is another user's.
        return True
    return True


def _now(folder: Path) -> float:
    """Return the time by the clock of a folder's file system, else by that of this machine."""
    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
        return os.fstat(file.fileno()).st_mtime
    return time.time()


@contextmanager
def waited_for(root: Path, name: str, tell: Callable[[Holder], None]) -> Iterator[None]:
    """Hold a lease in a `with` block; call `tell` with its holder if this process has to wait."""
    with Leases(root) as leases:
        if holder := leases.take(name):
            tell(holder)
            while leases.take(name):
                time.sleep(_POLL_SECONDS)
        yield


def _holder(stream: BinaryIO) -> Holder | None:
    """Return the process that is written in a lease; None if that is incomplete."""
    stream.seek(0)
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(stream.read(_MAX_BYTES), type=Holder)
    return None

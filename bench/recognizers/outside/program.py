"""Programs that read images: started for a batch, and killed with all that they started.

A program runs in a process group of its own, led by a guard: a shell that waits for the end of a
pipe from this process. So the programs end also when this process is killed. What a program has
started in a session of its own is found by a mark in its environment and killed with the others, as
long as this process lives to do so.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO, cast

from bench.core.errors import BenchError
from bench.core.files import file_digest
from bench.core.marked_processes import VARIABLE, kill_marked, new_mark
from bench.core.printable import quoted

_GUARD = ("/bin/sh", "-c", "read line; kill -KILL 0")
_MAX_OUTPUT = 2**28
"""Bytes; more than the texts of any batch."""
_LOOK_SECONDS = 0.5
"""From one look at the size of the output to the next."""
_VERSION_TIMEOUT = 20.0
_MAX_VERSION = 2**16
"""Bytes that a command may print as its version."""


def find_executable(command: Sequence[str], user: str, remedy: str) -> Path:
    """Return the file of a program, found on PATH or by its path.

    Raises:
        BenchError: There is none that can be executed.
    """
    found = shutil.which(command[0])
    if found is not None:
        return Path(found).resolve()
    if Path(command[0]).is_file():
        raise BenchError(
            f"{user}: the file {quoted(command[0])} cannot be executed; make it executable with "
            "chmod +x, or name its interpreter first"
        )
    raise BenchError(f"{user}: there is no program {quoted(command[0])}; {remedy}")


class Programs:
    """Starts programs in one process group, one after the other.

    Args:
        folder: Where their output is kept while they run.
        environment: Variables that are set for them.
        user: What the sentences begin with.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], user: str) -> None:
        self.folder = folder
        self._mark = new_mark()
        self._environment = os.environ | environment | {VARIABLE: self._mark}
        self._user = user
        self._guard: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], lines: bytes, timeout: float) -> bytes:
        """Return what a program prints when it is given `lines` on its standard input.

        Raises:
            BenchError: It cannot be started, takes longer than `timeout` seconds, or fails.
        """
        (self.folder / "stdin").write_bytes(lines)
        names = ("stdin", "stdout", "stderr")
        with (
            (self.folder / "stdin").open("rb") as given,
            (self.folder / "stdout").open("w+b") as printed,
            (self.folder / "stderr").open("w+b") as errors,
        ):
            process = self._start(command, given, printed, errors)
            code = self._wait(process, timeout, (printed, errors))
            if code != 0:
                raise BenchError(f"{self._user} {_end(code)}{_last_line(errors)}")
            printed.seek(0)
            content = printed.read()
        for name in names:
            (self.folder / name).unlink()
        return content

    def close(self) -> None:
        """Kill what is left of the process group, and what has left it for a session of its own."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(guard.pid, signal.SIGKILL)
        guard.communicate()
        kill_marked(self._mark)

    def _start(
        self, command: Sequence[str], given: BinaryIO, printed: BinaryIO, errors: BinaryIO
    ) -> subprocess.Popen[bytes]:
        if self._guard is None or self._guard.poll() is not None:
            self._guard = subprocess.Popen(
                _GUARD,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        try:
            return subprocess.Popen(
                command,
                stdin=given,
                stdout=printed,
                stderr=errors,
                env=self._environment,
                process_group=self._guard.pid,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise BenchError(
                f"{self._user} cannot be started ({reason}); check that it runs in a shell"
            ) from None

    def _wait(
        self, process: subprocess.Popen[bytes], timeout: float, written: Sequence[BinaryIO]
    ) -> int:
        """Return its exit code; kill it where it takes too long, or fills the disk."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                left = deadline - time.monotonic()
                with suppress(subprocess.TimeoutExpired):
                    code = process.wait(max(0.0, min(left, _LOOK_SECONDS)))
                    self._check_size(written)
                    return code
                self._check_size(written)
                if left <= _LOOK_SECONDS:
                    raise BenchError(
                        f"{self._user} did not end within {timeout:g} s and was killed; raise "
                        "'timeout', or read smaller batches"
                    )
        finally:
            if process.poll() is None:
                self.close()
                process.wait()

    def _check_size(self, written: Sequence[BinaryIO]) -> None:
        if any(os.fstat(file.fileno()).st_size > _MAX_OUTPUT for file in written):
            raise BenchError(
                f"{self._user} printed more than {_MAX_OUTPUT >> 20} MiB for one batch; it has to "
                "print one line per image"
            )


@contextmanager
def open_programs(environment: Mapping[str, str], user: str) -> Iterator[Programs]:
    """Return what starts programs, with a folder for its files; both are gone in the end."""
    with TemporaryDirectory(prefix="bench-") as folder:
        started = Programs(Path(folder), environment, user)
        try:
            yield started
        finally:
            started.close()


def thread_limits(threads: int, device: str) -> dict[str, str]:
    """Return the variables by which common libraries are told how much they may compute with."""
    limits = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(limits, str(threads)) | {
        "BENCH_THREADS": str(threads),
        "BENCH_DEVICE": device,
    }


def printed_version(command: Sequence[str], user: str, remedy: str) -> str:
    """Return what a command prints on either stream, as a key has it.

    Raises:
        BenchError: There is no such program, or it fails.
    """
    file = find_executable(command, user, remedy)
    printed = _printed(tuple(command), file, file_digest(str(file), user), user)
    if isinstance(printed, BenchError):
        raise printed
    return printed


@lru_cache(maxsize=64)
def _printed(
    command: tuple[str, ...],
    file: Path,  # noqa: ARG001 (as the digest)
    digest: str,  # noqa: ARG001
    user: str,
) -> str | BenchError:
    """Run a command, again only when its program is another; return what is wrong with it, too."""
    what = f"{user}: {quoted(' '.join(command))}"
    remedy = "name a command that prints a version and"
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return BenchError(f"{what} cannot be started ({reason}); check that it runs in a shell")
    with process, cast("IO[bytes]", process.stdout) as output:
        try:
            content = _read_version(process, output)
            code = process.wait(_VERSION_TIMEOUT)
        except subprocess.TimeoutExpired:
            return BenchError(f"{what} did not end within {_VERSION_TIMEOUT:.0f} s; {remedy} ends")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if len(content) > _MAX_VERSION:
        return BenchError(f"{what} prints more than {_MAX_VERSION >> 10} KiB; {remedy} no more")
    text = content.decode("utf-8", "replace").strip()
    if code or not text:
        return BenchError(f"{what} {_end(code)} and printed {quoted(text)}; {remedy} exits with 0")
    return text


def _read_version(process: subprocess.Popen[bytes], output: IO[bytes]) -> bytes:
    """Return what a process prints until its output ends, or all that a version may be, and more.

    Raises:
        TimeoutExpired: Its output does not end.
    """
    content, deadline = b"", time.monotonic() + _VERSION_TIMEOUT
    while len(content) <= _MAX_VERSION:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([output], [], [], left)[0]:
            raise subprocess.TimeoutExpired(process.args, _VERSION_TIMEOUT)
        part = os.read(output.fileno(), _MAX_VERSION)
        if not part:
            return content
        content += part
    os.killpg(process.pid, signal.SIGKILL)
    return content


def _end(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _last_line(errors: BinaryIO) -> str:
    """Return the last line that is not empty of the last of what a program wrote."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2**16))
    lines = [line for line in errors.read().decode("utf-8", "replace").split("\n") if line.strip()]
    if not lines:
        return " and wrote nothing on standard error"
    return f"; its last line on standard error: {quoted(lines[-1].strip(), 300)}"

"""Running of programs that read images, with their output, time limit and cleanup.

Programs run in their own process group, whose leader is a guard: a shell that waits for the end of
a pipe from this process and then kills the group. So programs end even if this process is killed.
A process that a program has started in another session is found by a mark in its environment and
killed too, unless this process is killed first.
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
"""Bytes of output per batch; the texts of a batch are far smaller."""
_CHECK_SECONDS = 0.5
"""The interval between checks of the size of the output."""
_VERSION_TIMEOUT = 20.0
_MAX_VERSION = 2**16
"""Bytes that a command may print as its version."""


def find_executable(command: Sequence[str], user: str, remedy: str) -> Path:
    """Return the executable file of a program, found on PATH or by its path.

    Args:
        command: The program and its arguments.
        user: The recognizer, for messages.
        remedy: The last clause of the error, which says how to install the program.

    Raises:
        BenchError: There is no such program, or its file is not executable.
    """
    file = shutil.which(command[0])
    if file is not None:
        return Path(file).resolve()
    if Path(command[0]).is_file():
        raise BenchError(
            f"{user}: the file {quoted(command[0])} is not executable; make it executable with "
            "chmod +x, or write its interpreter first"
        )
    raise BenchError(f"{user}: there is no program {quoted(command[0])}; {remedy}")


class Programs:
    """Runs programs one after the other in one process group.

    Args:
        folder: A folder for their output while they run.
        environment: Environment variables that are set for them.
        user: The recognizer, for messages.
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
        """Kill the process group, and processes that have moved to another session."""
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
        """Return the exit code of a process; kill it if it takes too long or prints too much."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                left = deadline - time.monotonic()
                with suppress(subprocess.TimeoutExpired):
                    code = process.wait(max(0.0, min(left, _CHECK_SECONDS)))
                    self._check_size(written)
                    return code
                self._check_size(written)
                if left <= _CHECK_SECONDS:
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
                f"{self._user} printed more than {_MAX_OUTPUT >> 20} MiB for one batch; print one "
                "line per image"
            )


@contextmanager
def open_programs(environment: Mapping[str, str], user: str) -> Iterator[Programs]:
    """Yield a runner of programs with a temporary folder; at the end, kill and remove all."""
    with TemporaryDirectory(prefix="bench-") as folder:
        programs = Programs(Path(folder), environment, user)
        try:
            yield programs
        finally:
            programs.close()


def thread_limits(threads: int, device: str) -> dict[str, str]:
    """Return the environment variables that limit the threads of common libraries."""
    limits = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(limits, str(threads)) | {
        "BENCH_THREADS": str(threads),
        "BENCH_DEVICE": device,
    }


def printed_version(command: Sequence[str], user: str, remedy: str) -> str:
    """Return the output of a command that prints a version, on either stream, for keys.

    Args:
        command: The command.
        user: The recognizer, for messages.
        remedy: The last clause of the error of a missing program.

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
    file: Path,  # noqa: ARG001 (for the cache)
    digest: str,  # noqa: ARG001 (for the cache)
    user: str,
) -> str | BenchError:
    """Return the output of a command or its error, cached until its program changes."""
    command_name = f"{user}: {quoted(' '.join(command))}"
    remedy = "give a command that prints a version and"
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
        return BenchError(
            f"{command_name} cannot be started ({reason}); check that it runs in a shell"
        )
    with process, cast("IO[bytes]", process.stdout) as output:
        try:
            content = _read_version(process, output)
            code = process.wait(_VERSION_TIMEOUT)
        except subprocess.TimeoutExpired:
            return BenchError(
                f"{command_name} did not end within {_VERSION_TIMEOUT:.0f} s; {remedy} ends"
            )
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if len(content) > _MAX_VERSION:
        return BenchError(
            f"{command_name} prints more than {_MAX_VERSION >> 10} KiB; {remedy} no more"
        )
    text = content.decode("utf-8", "replace").strip()
    if code or not text:
        return BenchError(
            f"{command_name} {_end(code)} and printed {quoted(text)}; {remedy} exits with 0"
        )
    return text


def _read_version(process: subprocess.Popen[bytes], output: IO[bytes]) -> bytes:
    """Return the output of a process, up to more than `_MAX_VERSION` bytes.

    Raises:
        TimeoutExpired: The output does not end in time.
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
    """Return a clause with the last nonempty line of the standard error of a program."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2**16))
    lines = [line for line in errors.read().decode("utf-8", "replace").split("\n") if line.strip()]
    if not lines:
        return " and wrote nothing on standard error"
    return f"; its last line on standard error: {quoted(lines[-1].strip(), 300)}"

"""Start processes of tasks as new interpreters, on systems without pidfds, such as macOS."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from multiprocessing.connection import Connection

from bench.core.errors import BenchError
from bench.execution.child_process import (
    ChildProcess,
    kill_group,
    start_interpreter,
    write_number,
)


def spawn_child() -> ChildProcess:
    """Start an interpreter that waits for a job, and then imports the modules of tasks.

    Raises:
        BenchError: It cannot be started, or the system has no process groups.
    """
    if not hasattr(os, "killpg"):
        raise BenchError(
            "a process per task requires the process groups of POSIX, which Windows does not have; "
            "run with --in-process, or in the Windows Subsystem for Linux"
        )
    ours, theirs = socket.socketpair()
    statement = f"from bench.execution.child import run_spawned; run_spawned({theirs.fileno()})"
    with theirs:
        try:
            process = start_interpreter(statement, theirs.fileno())
        except OSError as error:
            ours.close()
            raise BenchError(
                f"no process can be started for a task ({error}); run with --in-process"
            ) from None
    status, report = os.pipe()
    threading.Thread(target=_report_end, args=(process, report), daemon=True).start()
    return ChildProcess(process.pid, Connection(ours.detach()), status)


def _report_end(process: subprocess.Popen[bytes], report: int) -> None:
    """Wait for the end of a process, kill its descendants, and report its exit code."""
    if hasattr(os, "waitid"):
        # Until it is waited for, its id and that of its group are not used again. macOS has this
        # call since Python 3.13.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        kill_group(process.pid)
    code = process.wait()
    kill_group(process.pid)
    write_number(report, code)
    os.close(report)

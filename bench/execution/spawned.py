"""Processes of tasks by a new interpreter each, where the system has no pidfds: all but Linux."""

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
    """Start an interpreter that waits for a job, and imports then what tasks need.

    Raises:
        BenchError: The system does not start it, or has no process groups.
    """
    if not hasattr(os, "killpg"):
        raise BenchError(
            "a process per task requires the process groups of POSIX, which Windows has not; run "
            "with --in-process, or in the Windows Subsystem for Linux"
        )
    ours, theirs = socket.socketpair()
    statement = f"from bench.execution.child import run_spawned; run_spawned({theirs.fileno()})"
    with theirs:
        try:
            process = start_interpreter(statement, theirs.fileno())
        except OSError as error:
            ours.close()
            raise BenchError(
                f"the system starts no process for a task ({error}); run with --in-process"
            ) from None
    status, report = os.pipe()
    threading.Thread(target=_report_end, args=(process, report), daemon=True).start()
    return ChildProcess(process.pid, Connection(ours.detach()), status)


def _report_end(process: subprocess.Popen[bytes], report: int) -> None:
    """Wait for the end of a process, kill what is left below it, and report its exit code."""
    if hasattr(os, "waitid"):
        # Until it is waited for, its id and that of its group belong to no one else. macOS has this
        # call from Python 3.13 on.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        kill_group(process.pid)
    code = process.wait()
    kill_group(process.pid)
    write_number(report, code)
    os.close(report)

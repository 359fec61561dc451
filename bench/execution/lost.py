"""The failed attempt that is reported when a process ends before its task."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from bench.core.signals import raise_if_interrupted
from bench.tasks.task import failed_attempt

if TYPE_CHECKING:
    from bench.trials.records import Attempt

_SIGNAL_SECONDS = 0.5


def await_signal() -> None:
    """Wait a moment for a signal, which may also have ended a process that was lost.

    A batch system sends one to all processes of a job.

    Raises:
        KeyboardInterrupt: A signal has reached this process.
    """
    time.sleep(_SIGNAL_SECONDS)
    raise_if_interrupted()


def lost_attempt(code: int | None, *, short_of_memory: bool) -> Attempt:
    """Return the failed attempt of a process that ended before it reported the end of its task.

    Args:
        code: Its exit code, negative for a signal; None: unknown.
        short_of_memory: Whether the kernel's out-of-memory killer has ended a process meanwhile.
    """
    if code is None:
        return failed_attempt("lost worker", "its process was lost, with the one that started it")
    if code >= 0:
        return failed_attempt(
            "lost worker", f"its process exited with code {code} before it had reported an end"
        )
    name = _signal_name(-code)
    if short_of_memory and -code == signal.SIGKILL:
        return failed_attempt(
            "out of memory", f"its process was killed by {name} as the machine had no memory left"
        )
    return failed_attempt("lost worker", f"its process was killed by {name}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

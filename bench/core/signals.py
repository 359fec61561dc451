"""SIGINT and SIGTERM: the first one ends a command in order, further ones are ignored meanwhile.

The handler is installed before other imports, and stays until the process has ended.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Native code, such as a module that is being imported, may swallow the exception of a signal.
_received: list[int] = []
_holds: list[None] = []


def catch_signals() -> None:
    """Make SIGINT and SIGTERM raise KeyboardInterrupt in the main thread.

    While that exception is handled, and while signals are deferred, further ones are only recorded.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _handle)


def interrupted() -> bool:
    """Return whether a signal came, even if its exception was lost."""
    return bool(_received)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt where a signal came, even if its exception was lost."""
    if _received:
        raise KeyboardInterrupt


@contextmanager
def held_signals() -> Iterator[None]:
    """Defer signals during code that must not be interrupted, such as the shutdown of Ray.

    Raises:
        KeyboardInterrupt: At the end, where a signal came meanwhile.
    """
    before = len(_received)
    _holds.append(None)
    try:
        yield
    finally:
        _holds.pop()
    if len(_received) > before and not (_holds or _is_handled()):
        raise KeyboardInterrupt


def ignore_signals() -> None:
    """Ignore signals from now on, because this process is about to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Python removes its handlers before the process has ended.
        signal.signal(number, signal.SIG_IGN)


def resume_sentence() -> str:
    """Return the command line that resumes this command."""
    # Imported here, because a signal during imports before the handler would give a stack trace.
    import shlex

    from bench.core.printable import printable

    # --force would begin again with what this run had already done.
    command = shlex.join(["bench", *(word for word in sys.argv[1:] if word != "--force")])
    return f"what is done is kept, this resumes: {printable(command)}"


def _handle(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    if not (_holds or _is_handled()):
        raise KeyboardInterrupt


def _is_handled() -> bool:
    """Return whether this thread is in a `finally` or `except` that an interrupt led to."""
    error = sys.exception()
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None

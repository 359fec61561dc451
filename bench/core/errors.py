"""The exit codes of `bench`, and the exception whose message is meant for users."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from enum import IntEnum

from bench.core.printable import first_line, in_one_line

_REMEDIES = {
    errno.ENOSPC: "free some space there and run it again; what is done is kept",
    errno.EDQUOT: "free some of your quota there and run it again; what is done is kept",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`), or name another folder",
    errno.EROFS: "name another folder, or have this one mounted for writing",
    errno.ENOTDIR: "something in this path is a file where a folder should be; move it away",
    errno.EEXIST: "it is in the way; move it away",
    errno.EISDIR: "a file should be there; move the folder away",
    errno.ELOOP: "this link leads to itself; remove it",
    errno.EACCES: "check its permissions and those of its folder",
    errno.EPERM: "check its permissions and those of its folder",
}


class Exit(IntEnum):
    """The exit codes of `bench`; `bench --help` documents them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING = 3
    REGRESSED = 4
    UNVERIFIED = 5
    INTERRUPTED = 130


class BenchError(Exception):
    """An error that users can act on: one sentence on what is wrong, where, and what to do.

    Attributes:
        code: The exit code of the process.
    """

    def __init__(self, message: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.code = code


class BenchWarning(UserWarning):
    """What a person should know and what stops nothing, in one sentence; from the library alone."""


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line of bounded length.

    Errors other than `BenchError` begin with their type. Of a message of several lines, only the
    first is kept; logs have all of them.
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (an error of someone else's, whose text is an error itself)
        text = "its message cannot be read"
    if isinstance(error, BenchError):
        return in_one_line(text)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return in_one_line(os_error(error))
    message = first_line(text)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def os_error(error: OSError) -> str:
    """Return the system's message about a file, with a remedy where one is known."""
    where = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}{error.strerror or error}{f'; {remedy}' if remedy else ''}"


def nearest(word: str, words: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the most similar word, None if none has at least this likeness (1: equality)."""
    return next(iter(difflib.get_close_matches(word, sorted(words), 1, likeness)), None)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or the list of words where none is similar."""
    words = sorted(words)
    if near := nearest(word, words):
        return f"; did you mean '{near}'?"
    return f"; there is {', '.join(words)}" if words else ""

"""Where in a component an operation was called, for the messages of checks."""

from __future__ import annotations

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def calling_line() -> str:
    """Return the innermost line that is executed outside of torch and `bench.testing`."""
    frame = sys._getframe(1)  # noqa: SLF001 (traceback would read the sources)
    while frame.f_back:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] != "torch" and not module.startswith("bench.testing"):
            break
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    inside = file.relative_to(_PACKAGE) if file.is_relative_to(_PACKAGE) else Path(file.name)
    return f"{inside.as_posix()}:{frame.f_lineno}"

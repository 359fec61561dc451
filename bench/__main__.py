"""`bench` and `python -m bench`: signals are caught before anything else is imported."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

from bench.core.signals import catch_signals, ignore_signals, resume_sentence

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and end with a documented exit code."""
    ending = _Ending()
    # What is registered first is called last.
    atexit.register(ending.end_process)
    try:
        catch_signals()
        try:
            from bench.cli import main as run_command_line

            run_command_line()
        finally:
            ignore_signals()
    except KeyboardInterrupt:
        # It came before the command line could say so.
        ignore_signals()
        sys.stderr.write(f"interrupted; {resume_sentence()}\n")
        ending.code = _INTERRUPTED
        sys.exit(_INTERRUPTED)
    except SystemExit as left:
        # Of a plug-in it may be a sentence, which Python prints.
        ending.code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise


class _Ending:
    """Ends this process once all of Python's own handlers have run.

    What would come then changes exit codes: threads that native libraries have not ended abort the
    process (arrow issue 34314), and Python ends itself by SIGINT where any KeyboardInterrupt has
    passed through `exec`, be it handled or not.

    Attributes:
        code: The exit code; 1 where an exception has ended the command.
    """

    code = 1

    def end_process(self) -> NoReturn:
        """Flush what was printed and end."""
        for stream in filter(None, (sys.stdout, sys.stderr)):
            # A reader that is gone is no fault of the command.
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(self.code)


if __name__ == "__main__":
    main()

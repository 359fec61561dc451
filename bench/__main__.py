"""`bench` and `python -m bench`: signals are caught before anything else is imported."""

from __future__ import annotations

import sys
from typing import NoReturn

from bench.core.signals import catch_signals, ignore_signals, resume_sentence


def main() -> NoReturn:
    """Run the command line and end with a documented exit code."""
    catch_signals()
    try:
        try:
            from bench.cli import main as run_command_line

            run_command_line()
        finally:
            ignore_signals()
    except KeyboardInterrupt:
        # It came before the command line could say so.
        ignore_signals()
        sys.stderr.write(f"interrupted; {resume_sentence()}\n")
        sys.exit(130)


if __name__ == "__main__":
    main()

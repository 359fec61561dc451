"""Progress bars per split, for preparing, verifying and checking data sets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_REPORT_SECONDS = 0.1


@contextmanager
def split_bars() -> Iterator[Callable[[str, int], None]]:
    """Show one progress bar per split on stderr; yield a function that advances one."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    tasks: dict[str, TaskID] = {}
    pending, reported = Counter[str](), 0.0
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), Elapsed())
    console = Console(stderr=True)
    # In a pipe or a file, a removed bar would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:

        def update() -> None:
            for part, done in pending.items():
                if part not in tasks:
                    tasks[part] = progress.add_task(part, total=None)
                progress.update(tasks[part], advance=done)
            pending.clear()

        def advance(part: str, done: int) -> None:
            nonlocal reported
            pending[part] += done
            # Updating the bar for each sample can take as long as reading the sample.
            if (now := time.monotonic()) - reported >= _REPORT_SECONDS:
                reported = now
                update()

        yield advance
        update()

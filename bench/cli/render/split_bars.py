"""Progress bars for downloading, preparing, verifying and checking data sets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_REPORT_SECONDS = 0.1


Advance = Callable[[str, int], None]


def split_bars() -> AbstractContextManager[Advance]:
    """Show one progress bar per split on stderr; yield a function that advances one."""
    from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return _bars(columns, {})


def byte_bars(sizes: Mapping[str, int]) -> AbstractContextManager[Advance]:
    """Show one progress bar per file on stderr, in bytes; yield a function that advances one.

    Args:
        sizes: The number of bytes of each file.
    """
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    name = TextColumn("{task.description}", markup=False)
    return _bars((name, BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn()), sizes)


@contextmanager
def _bars(columns: Iterable[ProgressColumn], totals: Mapping[str, int]) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    tasks: dict[str, TaskID] = {}
    pending, reported = Counter[str](), 0.0
    console = Console(stderr=True)
    # In a pipe or a file, a removed bar would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:

        def update() -> None:
            for part, done in pending.items():
                if part not in tasks:
                    tasks[part] = progress.add_task(part, total=totals.get(part))
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

"""The folder of prepared data."""

from __future__ import annotations

import os
from pathlib import Path

from bench.core.local_paths import local_path

VARIABLE = "BENCH_DATA"


def set_data_folder(folder: Path) -> None:
    """Read prepared data from `folder` in this process and its child processes."""
    os.environ[VARIABLE] = str(folder.absolute())


def data_folder() -> Path:
    """Return the folder of prepared data: `BENCH_DATA`, else `data` in the working directory."""
    return local_path(os.environ.get(VARIABLE) or "data").absolute()

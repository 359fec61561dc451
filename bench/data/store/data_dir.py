"""Where prepared datasets lie."""

from __future__ import annotations

import os
from pathlib import Path

from bench.core.local_paths import local_path

VARIABLE = "BENCH_DATA"


def set_data_folder(folder: Path) -> None:
    """Let this process, and those that it starts, read prepared data from `folder`."""
    os.environ[VARIABLE] = str(folder.absolute())


def data_folder() -> Path:
    """Return the folder of prepared datasets: that of BENCH_DATA, else `data` in this one."""
    return local_path(os.environ.get(VARIABLE) or "data").absolute()

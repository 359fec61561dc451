"""Files of bench that are not modules: a wheel has them in the package, a checkout beside it."""

from __future__ import annotations

from pathlib import Path

import bench
from bench.core.errors import BenchError


def package_data(name: str) -> Path:
    """Return the file or folder `name` of bench: `bench.toml`, `datasets` or `docs`.

    Raises:
        BenchError: This installation of bench does not have it.
    """
    package = Path(bench.__file__).parent
    for folder in (package, package.parent):
        if (folder / name).exists():
            return folder / name
    raise BenchError(
        f"{package}: this installation of bench has no {name}; install it again with: "
        "pip install --force-reinstall recognition-bench"
    )

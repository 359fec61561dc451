"""bench as a user installs it: a wheel in an environment of its own, without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source distribution, and the wheel from it; return both. uv has to be installed."""
    subprocess.run(["uv", "build", "--quiet", "--out-dir", folder, ROOT], check=True)
    (source,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return source, wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a new environment; return the folder of its commands.

    What bench depends on is not installed again: the environment reads the packages of this one,
    but not its `.pth` files, of which one leads to the repository.
    """
    environment = folder / "environment"
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    words = ["--quiet", "--no-deps", "--python", python, wheel]
    subprocess.run(["uv", "pip", "install", *words], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python.parent


def clean_variables() -> dict[str, str]:
    """Return the variables of this process without those that lead to the repository."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "VIRTUAL_ENV", "COLUMNS"} and not name.startswith("BENCH_")
    }

"""Where a record comes from: commit, versions, hardware, threads. Recorded, never hashed."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import bench

PACKAGES = ("torch", "numpy", "ray", "editdistance", "fast-ctc-decoder", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class Provenance:
    """What produced a record. `commit` is None outside a git checkout of bench.

    `dirty` says that files of the package differed from that commit. `device` is what torch
    computed on, `gpu` its name, `threads` the compute threads of the trial, `workers` the processes
    that read ahead for it.
    """

    bench: str
    commit: str | None
    dirty: bool
    python: str
    packages: dict[str, str]
    platform: str
    cpu: str
    cores: int
    gpu: str | None
    device: str
    threads: int
    seed: int
    finished: str
    workers: int = 0


def collect(
    *, device: str, gpu: str | None, threads: int, seed: int, workers: int = 0
) -> Provenance:
    """Describe this process, now."""
    commit, dirty = revision()
    return Provenance(
        bench=bench.__version__,
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        packages=_versions(),
        platform=platform.platform(),
        cpu=cpu_model(),
        cores=os.cpu_count() or 1,
        gpu=gpu,
        device=device,
        threads=threads,
        seed=seed,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        workers=workers,
    )


@cache
def revision() -> tuple[str | None, bool]:
    """Return the commit of bench's own checkout, and whether the package differs from it."""
    package = Path(bench.__file__).parent
    commit = _git(package, "rev-parse", "HEAD")
    if not commit or _git(package, "ls-files", "--", "__init__.py") != "__init__.py":
        return None, False
    return commit, bool(_git(package, "status", "--porcelain", "--", "."))


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


@cache
def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def cpu_model() -> str:
    """Return the processor's name as the system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

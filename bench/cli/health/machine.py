"""Checks of the machine: Python, cores and memory, folders, limits of the system."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.cli.health.check import Check, State
from bench.core.disk import require_writable
from bench.core.errors import BenchError
from bench.core.short_folder import make_short_folder

_GIB = 2**30
_MIN_MEMORY = 4 * _GIB
"""Bytes: two trainings of `quick` beside Ray take 2.5 GiB."""
_MIN_SHARED = 160 * 2**20
"""Bytes: Ray's object store takes 128 MiB of /dev/shm."""
_MIN_FREE = 2 * _GIB
"""Bytes: less is warned of, because weights and checkpoints of one suite may take as much."""
_MIN_FILES = 1024
"""Open files: the usual limit of Linux, which suffices for a run on one machine."""
_SHARED = Path("/dev/shm")  # noqa: S108 (it is measured, not written to)


def machine_checks(results: Path, data: Path) -> Iterator[Check]:
    """Yield the checks of this machine.

    Args:
        results: The folder of records.
        data: The folder of prepared data.
    """
    yield Check("python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield Check("system", "ok", platform.platform())
    yield _memory()
    yield _written_folder("results", results, "name another folder with --results")
    yield _disk("data", data)
    yield _temporary_folder()
    if _SHARED.is_dir():
        yield _shared_memory()
    yield from _open_files()


def _memory() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return Check("cores", "ok", f"{cores} cores")
    finding = f"{cores} cores, {memory / _GIB:.1f} GiB of memory"
    if memory < _MIN_MEMORY:
        fix = "run one task at a time: bench run --executor inline"
        return Check("cores", "warning", finding, fix)
    return Check("cores", "ok", finding)


def _written_folder(name: str, folder: Path, remedy: str) -> Check:
    """Return whether a folder, or the one that it will be made in, can be written to."""
    existing = _existing(folder)
    try:
        require_writable(existing, remedy)
    except BenchError as error:
        return Check(name, "failed", str(error).removesuffix(f"; {remedy}"), remedy)
    return _disk(name, folder)


def _disk(name: str, folder: Path) -> Check:
    free = shutil.disk_usage(_existing(folder)).free
    finding = f"{folder}: {free / _GIB:,.1f} GiB free"
    if free < _MIN_FREE:
        fix = f"free some space there, or name another folder with --{name}"
        return Check(name, "warning", finding, fix)
    return Check(name, "ok", finding)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.absolute().parents) if each.is_dir())


def _temporary_folder() -> Check:
    """Return whether a folder for sockets and logs can be made."""
    try:
        folder = Path(make_short_folder())
    except BenchError as error:
        finding, _, fix = str(error).partition("; ")
        return Check("temporary folder", "failed", finding, fix)
    with suppress(OSError):
        folder.rmdir()
    temporary = Path(tempfile.gettempdir())
    free = shutil.disk_usage(temporary).free
    return Check("temporary folder", "ok", f"{temporary}: {free / _GIB:,.1f} GiB free")


def _shared_memory() -> Check:
    size = shutil.disk_usage(_SHARED).total
    finding = f"{size / 2**20:,.0f} MiB"
    if size < _MIN_SHARED:
        fix = "start the container with --shm-size=1g, or run with --executor inline"
        return Check(str(_SHARED), "warning", finding, fix)
    return Check(str(_SHARED), "ok", finding)


def _open_files() -> Iterator[Check]:
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = limit == resource.RLIM_INFINITY
    state: State = "ok" if unlimited or limit >= _MIN_FILES else "warning"
    fix = "" if state == "ok" else f"raise it: ulimit -n {_MIN_FILES}"
    yield Check("open files", state, "unlimited" if unlimited else f"at most {limit:,}", fix)

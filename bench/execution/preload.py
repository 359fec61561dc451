"""Import the modules of tasks before a task begins, so that forked processes share them."""

from __future__ import annotations

import ctypes
import gc
import importlib
import pkgutil
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = (
    "bench.core",
    "bench.evaluation",
    "bench.nn",
    "bench.decoding",
    "bench.losses",
    "bench.models",
    "bench.data",
    "bench.config",
    "bench.recognizers",
    "bench.trials",
    "bench.training",
    "bench.tasks",
)
_UNUSED = ("bench.evaluation.statistics", "bench.data.inspection")
_FIRST_USE = ("pandas", "torch._dynamo", "torchvision.models")
"""Modules that pyarrow, optimizers and models import when they are first used."""
_MAPPING = re.compile(r"(?P<first>\w+)-(?P<end>\w+) rw-p \w+ \S+ 0\b")
_LARGE_PAGE = 2**21
_MADV_COLLAPSE = 25  # madvise(2), Linux since 6.1


def preload() -> None:
    """Import the modules that trainings and evaluations use; exclude them from garbage collection.

    Garbage collection would go through their million objects, and in a fork copy their memory.
    """
    gc.disable()
    for name in preloaded_modules():
        # A task that needs a module which cannot be imported reports that itself.
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    gc.enable()


def preloaded_modules() -> Iterator[str]:
    """Yield the names of the modules that trainings and evaluations use."""
    for package in _PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if not module.name.startswith(_UNUSED):
                yield module.name
    yield from _FIRST_USE


def use_large_pages() -> None:
    """Move the memory of this process to pages of 2 MB, so that forks of it start and end faster.

    A fork copies one entry per page, and its exit frees it; 440 MB have 110,000 pages of 4 KB.
    If the kernel is older than 6.1 or has no free pages of 2 MB, nothing changes.
    """
    with suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        for first, size in _large_mappings():
            madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), _MADV_COLLAPSE)


def _large_mappings() -> list[tuple[int, int]]:
    """Return address and size of the parts of used private memory that large pages can hold."""
    mappings = []
    mapping = None
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == "Anonymous" and mapping and int(value.split()[0]) * 1024 >= _LARGE_PAGE:
            first = -(-int(mapping["first"], 16) // _LARGE_PAGE) * _LARGE_PAGE
            size = int(mapping["end"], 16) // _LARGE_PAGE * _LARGE_PAGE - first
            mappings.append((first, size))
        elif "-" in name.partition(" ")[0]:
            mapping = _MAPPING.match(line)
    return [(first, size) for first, size in mappings if size > 0]

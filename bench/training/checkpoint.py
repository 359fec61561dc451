"""Checkpoints: an interrupted training resumes and ends in the same bits."""

from __future__ import annotations

import io
import pickle
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import bench
from bench.core.documents import write_bytes


def save(file: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values atomically, with a digest of bench's sources."""
    stream = io.BytesIO()
    torch.save(state | {"code": _code()}, stream)
    write_bytes(file, stream.getvalue())


def load(file: Path) -> dict[str, Any] | None:
    """Return what `save` wrote, on the CPU, or None where there is no checkpoint to resume.

    A checkpoint of other sources or another torch is ignored, because training would not end in the
    same bits, and so is a file that is no checkpoint. Nothing in the file is executed
    (`weights_only`).
    """
    if not file.exists():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("code") == _code() else None


def _code() -> list[object]:
    """Return the digest of the sources and the version of torch."""
    return [_sources(Path(bench.__file__).parent), str(torch.__version__)]


@cache
def _sources(package: Path) -> str:
    """Return the digest of a package when it was first computed: later edits are not what runs."""
    total = sha256()
    for file in sorted(package.rglob("*.py")):
        total.update(file.read_bytes())
    return total.hexdigest()

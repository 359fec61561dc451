"""Where training stands, on disk: an interrupted trial goes on to the same bits."""

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
    """Write tensors and plain values atomically, with the code that made them."""
    stream = io.BytesIO()
    torch.save(state | {"code": _code()}, stream)
    write_bytes(file, stream.getvalue())


def load(file: Path) -> dict[str, Any] | None:
    """Return what `save` wrote, on the CPU, or None where there is nothing that can go on here.

    Other code would not go on to the same record, and a file that is no checkpoint is as good as
    none: both begin anew. Nothing of the file is executed (`weights_only`).
    """
    if not file.exists():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("code") == _code() else None


def _code() -> list[object]:
    """Return what is the same in two processes that compute the same."""
    return [_sources(Path(bench.__file__).parent), str(torch.__version__)]


@cache
def _sources(package: Path) -> str:
    """Return the digest of a package as it was first asked for: later edits are not what runs."""
    found = sha256()
    for file in sorted(package.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()

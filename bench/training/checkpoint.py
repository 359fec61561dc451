"""Checkpoints: an interrupted training resumes and ends in the same bits."""

from __future__ import annotations

import ast
import io
import pickle
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import bench
from bench.core.documents import write_bytes


@dataclass(frozen=True)
class Checkpoint:
    """The file in which a training keeps its state.

    Attributes:
        file: Where it is.
        sources: The source files of bench that decide the numbers of the training, relative to the
            package. Other code would not end in the same bits, so its state is ignored.
    """

    file: Path
    sources: tuple[str, ...]

    def save(self, state: dict[str, Any]) -> None:
        """Write tensors and plain values atomically."""
        stream = io.BytesIO()
        torch.save(state | {"code": self._code()}, stream)
        write_bytes(self.file, stream.getvalue())

    def load(self) -> dict[str, Any] | None:
        """Return what `save` wrote, on the CPU, or None where there is nothing to resume.

        A state of other code or another torch is ignored, and so is a file that is no checkpoint.
        Nothing in the file is executed (`weights_only`).
        """
        if not self.file.exists():
            return None
        try:
            state = torch.load(self.file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state if isinstance(state, dict) and state.get("code") == self._code() else None

    def _code(self) -> list[str]:
        """Return the digest of the code and the version of torch."""
        package = Path(bench.__file__).parent
        files = tuple(package / name for name in sorted(self.sources))
        return [code_digest(files), str(torch.__version__)]


@cache
def code_digest(files: tuple[Path, ...]) -> str:
    """Return a digest of what some Python files compute: docstrings and comments are left out.

    It is that of the files as they are at the first call: later edits are not what runs.
    """
    total = sha256()
    for file in files:
        tree = ast.parse(file.read_bytes())
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_text(body[0]):
                del body[0]
        total.update(ast.dump(tree).encode())
    return total.hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )

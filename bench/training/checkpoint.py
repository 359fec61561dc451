"""Checkpoints: an interrupted training resumes and ends in the same bits."""

from __future__ import annotations

import ast
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import torch

import bench
from bench.core.documents import write_bytes
from bench.core.regular_files import open_regular
from bench.core.schema import NonNegativeFloat, NonNegativeInt, PositiveInt
from bench.trials.records import CurvePoint


@dataclass(frozen=True)
class Checkpoint:
    """The file in which a training keeps its state.

    Attributes:
        file: The path of the file.
        sources: The source files of bench that decide the numbers of the training, relative to the
            package. A state of other code is ignored, because it would not end with the same bits.
    """

    file: Path
    sources: tuple[str, ...]

    def save(self, state: dict[str, Any]) -> None:
        """Write tensors and plain values atomically."""
        stream = io.BytesIO()
        torch.save(state | {"code": self._code()}, stream)
        write_bytes(self.file, stream.getvalue())

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, on the CPU, or None if there is nothing to resume.

        A state of other code or another torch is ignored, and so is a file that is not a
        checkpoint. Nothing in the file is executed (`weights_only`).
        """
        try:
            with open_regular(self.file) as stream:
                state = torch.load(stream, map_location="cpu", weights_only=True)
        # Whatever a file may raise that another program has written: there is no list of it.
        except Exception:  # noqa: BLE001
            return None
        return state if isinstance(state, dict) and state.get("code") == self._code() else None

    def _code(self) -> list[str]:
        """Return the digest of the code and the version of torch."""
        package = Path(bench.__file__).parent
        files = tuple(package / name for name in sorted(self.sources))
        return [code_digest(files), str(torch.__version__)]


@dataclass(frozen=True)
class Position:
    """The progress of a training, as the plain values of its state.

    Attributes:
        done: Completed steps.
        curve: The validations so far.
        selected_step: The step of the selected weights; 0 before any.
        trained_on: The devices that computed the steps.
        seconds: Wall time of steps and of validations.
    """

    done: PositiveInt
    curve: list[CurvePoint]
    selected_step: NonNegativeInt
    trained_on: list[str]
    seconds: tuple[NonNegativeFloat, NonNegativeFloat]


def checked_position(
    state: dict[str, Any], steps: int, network: Mapping[str, torch.Tensor]
) -> Position:
    """Return the progress that a checkpoint states, checked for consistency.

    Args:
        state: The result of `Checkpoint.load`.
        steps: The number of steps of the training.
        network: The weights of its network, whose names and shapes selected weights must have.

    Raises:
        ValueError, KeyError, TypeError: No training of this length and network has such a state.
    """
    plain = {field.name: state[field.name] for field in fields(Position)}
    try:
        position = msgspec.convert(plain, Position)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    validated = [point.step for point in position.curve]
    if position.done > steps or validated != sorted({*validated}):
        raise ValueError("it has steps that this training has not")
    if max(validated, default=0) > position.done:
        raise ValueError("it has a validation after its last step")
    if position.selected_step not in (validated or [0]):
        raise ValueError("its selected step is not one that was validated")
    shapes = {name: value.shape for name, value in network.items()} if validated else {}
    if {name: value.shape for name, value in state["weights"].items()} != shapes:
        raise ValueError("its selected weights are not those of this network")
    return position


@cache
def code_digest(files: tuple[Path, ...]) -> str:
    """Return a digest of the code of some Python files, without docstrings and comments.

    It is computed at the first call, because later edits do not change the running code.
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

"""Reading of files of weights: safetensors, and torch checkpoints without pickled objects."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.files import existing_file, file_digest

if TYPE_CHECKING:
    from pathlib import Path

_NESTED = ("model_state_dict", "state_dict", "model", "network", "net")
"""The keys under which checkpoints have their weights."""
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
"""The function that unpickling of a NumPy array calls."""
_OF_NUMPY: list[Any] = [
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in (np.uint32, np.int64, np.float64)),
    *((_RECONSTRUCT, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]
"""Types of NumPy arrays, because some checkpoints have the state of NumPy's random generator."""
_SAFETENSORS = ".safetensors"


def read_weights(path: str, parameter: str) -> dict[str, Tensor]:
    """Return the weights of a file by name, on the CPU.

    Nothing in the file is executed: a checkpoint is read by `torch.load` with `weights_only`.

    Args:
        path: The file, which is safetensors if it has that suffix, else a checkpoint.
        parameter: The parameter of bench.toml that has the path, for messages.

    Raises:
        BenchError: The file is missing or malformed, has objects other than tensors and plain
            values, or has no weights.
    """
    file = existing_file(path, parameter)
    state = _safetensors(file) if file.suffix == _SAFETENSORS else _checkpoint(file)
    weights = _weights_within(state)
    if not weights:
        raise BenchError(
            f"the file '{path}' of {parameter} has no weights; save a dictionary of tensors by "
            f"name, directly or under one of the keys {', '.join(_NESTED)}"
        )
    return weights


def check_digest(path: str, parameter: str, expected: str) -> None:
    """Raise BenchError unless the SHA-256 of a file is `expected`, in hexadecimal digits."""
    digest = file_digest(path, parameter)
    if digest != expected.strip().lower():
        raise BenchError(
            f"the file '{path}' of {parameter} has the SHA-256 {digest}, not sha256 = "
            f"'{expected}'; download the file again, or correct sha256"
        )


def _safetensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise BenchError(f"{file} is not a safetensors file ({error}); give another file") from None


def _checkpoint(file: Path) -> Any:  # noqa: ANN401 (any content of a checkpoint)
    try:
        with torch.serialization.safe_globals(_OF_NUMPY), warnings.catch_warnings():
            # torch warns of pickles of other protocols, and then reads them or raises an error.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        objects = "Unsupported" in str(error) or "GLOBAL" in str(error)
        if objects:
            raise BenchError(
                f"{file} has pickled objects other than tensors, which are not loaded because they "
                "could run code; save its state dict alone: torch.save(model.state_dict(), FILE)"
            ) from None
        raise BenchError(
            f"{file} is not a torch checkpoint ({reason}); give another file"
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise BenchError(
            f"{file} is not a torch checkpoint ({reason}); give a .pth or .safetensors file"
        ) from None


def _weights_within(state: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """Return the tensors of a state dict, which may be nested under a key."""
    if not isinstance(state, dict):
        return {}
    for key in _NESTED:
        if isinstance(state.get(key), dict):
            return _weights_within(state[key])
    return {str(name): value for name, value in state.items() if isinstance(value, Tensor)}

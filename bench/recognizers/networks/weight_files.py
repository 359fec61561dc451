"""Files of weights: safetensors, and checkpoints of torch without pickled objects."""

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
"""The keys under which checkpoints keep their weights."""
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
"""What unpickling an array of NumPy calls."""
_OF_NUMPY: list[Any] = [
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in (np.uint32, np.int64, np.float64)),
    *((_RECONSTRUCT, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]
"""Arrays of numbers: some checkpoints keep the state of NumPy's random generator."""
_SAFETENSORS = ".safetensors"


def read_weights(path: str, parameter: str) -> dict[str, Tensor]:
    """Return the weights of a file by name, on the CPU.

    Nothing in the file is executed: a checkpoint is read by `torch.load` with `weights_only`.

    Raises:
        BenchError: The file is missing, is neither of both formats, holds objects other than
            tensors and plain values, or has no weights.
    """
    file = existing_file(path, parameter)
    state = _safetensors(file) if file.suffix == _SAFETENSORS else _checkpoint(file)
    weights = _weights_within(state)
    if not weights:
        raise BenchError(
            f"the file '{path}' of {parameter} has no weights: it must hold names and tensors, "
            f"directly or under one of the keys {', '.join(_NESTED)}"
        )
    return weights


def check_digest(path: str, parameter: str, expected: str) -> None:
    """Raise BenchError unless the SHA-256 of a file is `expected`, in hexadecimal digits."""
    found = file_digest(path, parameter)
    if found != expected.strip().lower():
        raise BenchError(
            f"the file '{path}' of {parameter} has the SHA-256 {found}, and sha256 = "
            f"'{expected}' is wanted; fetch the file again, or correct sha256"
        )


def _safetensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError) as error:
        raise BenchError(
            f"{file} is not a file of safetensors ({error}); give another file"
        ) from None


def _checkpoint(file: Path) -> Any:  # noqa: ANN401 (whatever a checkpoint holds)
    try:
        with torch.serialization.safe_globals(_OF_NUMPY), warnings.catch_warnings():
            # It warns of pickles of other protocols, and then reads or refuses them.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        objects = "Unsupported" in str(error) or "GLOBAL" in str(error)
        if objects:
            raise BenchError(
                f"{file} holds pickled objects beside tensors, which could run code and are not "
                "loaded; save its state dict alone: torch.save(model.state_dict(), FILE)"
            ) from None
        raise BenchError(f"{file} is not a checkpoint of torch ({reason})") from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise BenchError(
            f"{file} is not a checkpoint of torch ({reason}); give a .pth or .safetensors file"
        ) from None


def _weights_within(state: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """Return the tensors of a state dict, which may lie under a key."""
    if not isinstance(state, dict):
        return {}
    for key in _NESTED:
        if isinstance(state.get(key), dict):
            return _weights_within(state[key])
    return {str(name): value for name, value in state.items() if isinstance(value, Tensor)}

"""The state of a module, saved to a checkpoint and loaded from it."""

from __future__ import annotations

import io

import torch
from torch import nn

from bench.testing.contract import ContractError


def restore_state(saved: nn.Module, restored: nn.Module, what: str) -> None:
    """Load the state of one module into another, by way of a file with weights_only=True.

    Args:
        saved: The module whose state is saved.
        restored: The module that gets it.
        what: What the modules are.

    Raises:
        ContractError: The state cannot be loaded.
    """
    file = io.BytesIO()
    torch.save(saved.state_dict(), file)
    file.seek(0)
    try:
        restored.load_state_dict(torch.load(file, weights_only=True))
    except Exception as error:  # noqa: BLE001 (pickle's and torch's)
        raise ContractError(
            f"the state of the {what} cannot be loaded ({str(error).partition(chr(10))[0]}); keep "
            "tensors in it alone, as parameters or buffers"
        ) from None

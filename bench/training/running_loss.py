"""The loss since the last validation, summed on the device so that no step waits for it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_NONE = -1


class Diverged(NamedTuple):
    """The first batch whose loss was not finite.

    Attributes:
        batch: Its number since training began, from 0.
        loss: Its loss: infinite or not a number.
    """

    batch: int
    loss: float


class RunningLoss:
    """Sums the losses of batches on their device; `mean` alone waits for it.

    Args:
        device: "cpu" or "cuda".

    Attributes:
        batches: How many losses have been added since `reset`.
    """

    def __init__(self, device: str) -> None:
        self.batches = 0
        # Sum, number of the first batch that diverged, its loss. In double precision, as Python
        # would add them.
        self._state = torch.tensor([0.0, _NONE, 0.0], dtype=torch.float64, device=device)

    def add(self, loss: Tensor, batch: int) -> None:
        """Add the loss of one batch, a scalar; `batch` is its number since training began."""
        loss = loss.detach().double()
        total, first, value = self._state
        diverges = (first == _NONE) & ~loss.isfinite()
        self._state = torch.stack(
            [total + loss, torch.where(diverges, batch, first), torch.where(diverges, loss, value)]
        )
        self.batches += 1

    def read(self) -> tuple[float, Diverged | None]:
        """Return the mean of the losses, and where one was not finite. Waits for the device."""
        total, first, value = self._state.tolist()
        diverged = None if first == _NONE else Diverged(int(first), value)
        return total / max(self.batches, 1), diverged

    def reset(self) -> None:
        """Start again at zero."""
        self.batches = 0
        self._state[0] = 0

    def state(self) -> dict[str, Tensor | int]:
        """Return what `restore` takes."""
        return {"batches": self.batches, "sums": self._state}

    def restore(self, state: dict[str, Tensor | int]) -> None:
        """Continue from an earlier `state`."""
        batches, sums = state["batches"], state["sums"]
        if not isinstance(batches, int) or not isinstance(sums, Tensor):
            raise TypeError("this is no state of a running loss")
        self.batches = batches
        self._state = sums.to(self._state.device)

"""The ranks of a data-parallel training: one process per device, each with its rows of a batch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rank:
    """One process of a training.

    Attributes:
        number: From 0. Rank 0 alone validates, reports events and writes files.
        count: How many ranks there are; 1 where the training computes on one device.
        host: The address of the machine of rank 0.
        port: The port at which rank 0 listens for the others; rank 0 chooses it if it is 0.
    """

    number: int = 0
    count: int = 1
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.number == 0

    @property
    def alone(self) -> bool:
        """Whether it is the only rank."""
        return self.count == 1


ALONE = Rank()
"""The only process of a training."""

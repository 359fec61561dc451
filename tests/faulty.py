"""Components that go wrong, for workers to import: not a test module."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Dataset
from bench.core.errors import BenchError, Exit
from bench.core.types import Batch, InputPipeline, InputShape
from bench.data.datasets.seq_digits import SeqDigits
from bench.models.cnn_bilstm import CnnBiLSTM

if TYPE_CHECKING:
    from torch import nn


class Faulty(Dataset):
    gives = "frames"
    protocol = "digits"

    def fingerprint(self) -> str:
        return "none"


@dataclass(frozen=True)
class Raises(Faulty):
    """Raises while it is read."""

    name: ClassVar[str] = "raises"

    def build(self) -> InputPipeline:
        raise RuntimeError("the disk is on fire")


@dataclass(frozen=True)
class Exits(Faulty):
    """Takes its whole process down."""

    name: ClassVar[str] = "exits"

    def build(self) -> InputPipeline:
        os._exit(7)


@dataclass(frozen=True)
class Slow(SeqDigits):
    """Says which process it is in, then takes its time before anything else."""

    name: ClassVar[str] = "slow"

    pid_file: str = os.devnull
    seconds: float = 60.0

    def build(self) -> InputPipeline:
        Path(self.pid_file).write_text(str(os.getpid()))
        time.sleep(self.seconds)
        return super().build()


@dataclass(frozen=True)
class Moody(CnnBiLSTM):
    """A model that raises, exits or hangs where its parameter says so."""

    name: ClassVar[str] = "moody"

    mood: str = ""

    def build(self, shape: InputShape) -> nn.Module:
        if self.mood == "raises":
            raise RuntimeError("the disk is on fire")
        if self.mood == "exits":
            os._exit(7)
        if self.mood == "hangs":
            time.sleep(600)
        return super().build(shape)


@dataclass(frozen=True)
class Troubled:
    """A pass of five batches, the third of which cannot be read."""

    trouble: str

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Batch:
        import torch

        if index == 2:
            if self.trouble == "sentence":
                raise BenchError("the third batch is gone; take another", Exit.UNVERIFIED)
            if self.trouble == "fault":
                raise RuntimeError("the disk is on fire")
            os.kill(os.getpid(), signal.SIGKILL)
        numbers = torch.tensor([index])
        return Batch(torch.zeros(1, 1), numbers, numbers[None], numbers, numbers[None], ("a",))

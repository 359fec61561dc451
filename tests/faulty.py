"""Components that go wrong, for workers to import: not a test module."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.errors import BenchError, Exit
from bench.core.types import Batch, EpochBatches, InputPipeline, InputShape, Split
from bench.data.datasets.seq_digits import SeqDigits
from bench.models.cnn_bilstm import CnnBiLSTM

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Raises(SeqDigits):
    """Raises when it is opened."""

    name: ClassVar[str] = "raises"

    def open(self, *_: Any, **__: Any) -> InputPipeline:
        raise RuntimeError("the disk is on fire")


@dataclass(frozen=True)
class Exits(SeqDigits):
    """Ends its whole process when it is opened."""

    name: ClassVar[str] = "exits"

    def open(self, *_: Any, **__: Any) -> InputPipeline:
        os._exit(7)


@dataclass(frozen=True)
class Slow(SeqDigits):
    """Writes the id of its process, then sleeps, when it is opened."""

    name: ClassVar[str] = "slow"

    pid_file: str = os.devnull
    seconds: float = 60.0

    def open(self, *arguments: Any, **more: Any) -> InputPipeline:
        Path(self.pid_file).write_text(str(os.getpid()))
        time.sleep(self.seconds)
        return super().open(*arguments, **more)


@dataclass(frozen=True)
class OutOfMemory(SeqDigits):
    """Has no memory until its file exists, which it makes; without a file, never."""

    name: ClassVar[str] = "out-of-memory"

    file: str = ""

    def open(self, *arguments: Any, **more: Any) -> InputPipeline:
        if not self.file:
            raise MemoryError("no memory is left")
        if not Path(self.file).exists():
            Path(self.file).touch()
            raise MemoryError("no memory is left")
        return super().open(*arguments, **more)


@dataclass(frozen=True)
class Killed(SeqDigits):
    """Kills its process as it starts an epoch, unless its file exists; then nothing is wrong."""

    name: ClassVar[str] = "killed"

    file: str = os.devnull
    at_epoch: int = 3

    def open(self, *arguments: Any, **more: Any) -> InputPipeline:
        pipeline = super().open(*arguments, **more)
        batches = pipeline.batches

        def killed(split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
            if epoch == self.at_epoch and not Path(self.file).exists():
                Path(self.file).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return batches(split, size, seed=seed, epoch=epoch)

        pipeline.batches = killed  # type: ignore[method-assign]
        return pipeline


@dataclass(frozen=True)
class Spoils(SeqDigits):
    """Leaves its process with other defaults, patches, limits and folders, and raises."""

    name: ClassVar[str] = "spoils"

    def open(self, *_: Any, **__: Any) -> InputPipeline:
        spoil()
        raise RuntimeError("all is spoiled")


def spoil() -> None:
    """Change what tasks of one process would share."""
    import random

    import numpy as np
    import torch
    from torch.nn.modules.module import register_module_forward_hook

    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(mode=False)
    torch.set_float32_matmul_precision("medium")
    torch.set_num_threads(2)
    torch.manual_seed(7)
    torch.backends.mkldnn.set_flags(_enabled=False)
    register_module_forward_hook(lambda _module, _inputs, output: output)
    torch.nn.functional.ctc_loss = lambda *_, **__: torch.zeros(())
    SeqDigits.open = None  # type: ignore[method-assign, assignment]
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002
    sys.path.clear()
    os.environ.clear()
    os.environ["OMP_NUM_THREADS"] = "7"
    os.chdir("/")
    os.umask(0o777)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


@dataclass(frozen=True)
class Sees(SeqDigits):
    """Adds its process, the parent of that, and the GPUs it sees to a file; cannot be opened."""

    name: ClassVar[str] = "sees"

    file: str = os.devnull

    def open(self, *_: Any, **__: Any) -> InputPipeline:
        time.sleep(0.05)
        with Path(self.file).open("a") as file:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
            file.write(f"{os.getpid()} {os.getppid()} {visible!r}\n")
        raise BenchError("seen; look at the file")


@dataclass(frozen=True)
class Hangs(SeqDigits):
    """Hangs as the second batch of an epoch is read, unless its file exists, which it makes.

    The file has the id of the process that reads.
    """

    name: ClassVar[str] = "hangs"

    file: str = os.devnull
    at_epoch: int = 3

    def open(self, *arguments: Any, **more: Any) -> InputPipeline:
        pipeline = super().open(*arguments, **more)
        batches = pipeline.batches

        def hanging(split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
            usual = batches(split, size, seed=seed, epoch=epoch)
            return HangingBatches(usual, self.file) if epoch == self.at_epoch else usual

        pipeline.batches = hanging  # type: ignore[method-assign]
        return pipeline


@dataclass(frozen=True)
class HangingBatches:
    """Batches, the second of which hangs unless the file exists."""

    batches: EpochBatches
    file: str

    def __len__(self) -> int:
        return len(self.batches)

    def samples(self, index: int) -> int:
        return self.batches.samples(index)

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        return replace(self, batches=self.batches.rows(rank, ranks))

    def __getitem__(self, index: int) -> Batch:
        if index == 1 and not Path(self.file).exists():
            Path(self.file).write_text(f"{os.getpid()}\n")
            time.sleep(600)
        return self.batches[index]


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


class StubbornError(Exception):
    """An error that cannot be copied: it takes two arguments and remembers one."""

    def __init__(self, subject: str, predicate: str) -> None:
        super().__init__(f"{subject} {predicate}")


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
            if self.trouble == "missing":
                raise OSError("the disk is on fire")
            if self.trouble == "stubborn":
                raise StubbornError("the disk", "is on fire")
            os.kill(os.getpid(), signal.SIGKILL)
        numbers = torch.tensor([index])
        return Batch(torch.zeros(1, 1), numbers, numbers[None], numbers, numbers[None], ("a",))

"""The text of plug-ins, as a person would write them."""

LOSS = '''\
"""A loss of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.losses.ctc import CTC


@dataclass(frozen=True)
class MyLoss(CTC):
    """CTC, times a factor."""

    name: ClassVar[str] = "my-loss"

    factor: float = 1.0

    def objective(self, head, features, targets):
        return self.factor * super().objective(head, features, targets)
'''
RAISING = LOSS.replace(
    "return self.factor * super().objective(head, features, targets)",
    'raise ValueError("bad\\n shape \\x1b[31m")',
)
RAISING_LINE = 1 + RAISING[: RAISING.index("raise ValueError")].count("\n")
DATASET = '''\
from dataclasses import dataclass
from typing import ClassVar

from bench.data.datasets.seq_digits import SeqDigits


@dataclass(frozen=True)
class Mine(SeqDigits):
    """Digits that are read by a class of this file."""

    name: ClassVar[str] = "my-digits"

    def open(self, *arguments):
        return Pipeline(super().open(*arguments))


@dataclass(frozen=True)
class Pipeline:
    inner: object

    def __getattr__(self, name):
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def batches(self, split, *arguments, **more):
        return Batches(split, self.inner.batches(split, *arguments, **more))


@dataclass(frozen=True)
class Batches:
    split: str
    inner: object

    def __len__(self):
        return len(self.inner)

    def samples(self, index):
        return self.inner.samples(index)

    def rows(self, rank, ranks):
        return Batches(self.split, self.inner.rows(rank, ranks))

    def __getitem__(self, index):
        if self.split == "validation":
            raise LookupError("no pixels")
        return self.inner[index]
'''
METRIC = '''\
import numpy as np

from bench.evaluation.metrics import Counts, Metric


class LastUnit(Metric):
    """The samples whose last character is read right."""

    name = "last-unit"
    title = "last right"
    higher_is_better = True
    max_value = 1.0

    def defined_for(self, protocol):
        return protocol.unit == "character"

    def counts(self, readings):
        pairs = zip(readings.references, readings.hypotheses, strict=True)
        right = np.array([r[-1:] == h[-1:] for r, h in pairs], dtype=np.int64)
        return Counts(right, np.ones_like(right))
'''
EXECUTOR = """\
from contextlib import nullcontext

from bench.execution.in_process import InProcessExecutor

EXECUTORS = {"mine": lambda address: nullcontext(InProcessExecutor())}
"""

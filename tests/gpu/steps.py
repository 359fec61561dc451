"""Single steps of training, one network of each family: their time, and what they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch

from bench.core import registry
from bench.core.components import Loss, Model
from bench.core.types import Batch, InputShape
from bench.profiling import cost
from bench.recognizers.networks import network as networks
from bench.training.device import configure_torch
from bench.training.step import TrainingStep

from rates import Rates, precisions, seconds  # isort: skip (beside this file)

CLASSES = 38
_BACKWARD = 3
"""A step takes three times the products of a forward pass: gradients of inputs and of weights."""


class Case(NamedTuple):
    """A network under a loss, with the batch that it is timed on.

    Attributes:
        model: The name of the model.
        loss: The name of the loss.
        batch: Samples per batch.
        size: Frames, channels, height and width; of images without frames.
        labels: Labels of each sample.
        parameters: Parameters of the model.
        tiny: The parameters, batch and size of a quick check on a CPU.
    """

    model: str
    loss: str
    batch: int
    size: tuple[int, ...]
    labels: int
    parameters: dict[str, object]
    tiny: tuple[dict[str, object], int, tuple[int, ...]]


_SMALL_FRAMES = ({"width": 2}, 2, (9, 1, 28, 28))
_SMALL_WORDS = ({}, 1, (1, 32, 100))
CASES = [
    Case("lenetpp", "ctc", 64, (41, 1, 28, 28), 4, {}, _SMALL_FRAMES),
    Case("lenetpp", "radial-ctc", 64, (41, 1, 28, 28), 4, {}, _SMALL_FRAMES),
    Case("lenetpp", "ace", 64, (41, 1, 28, 28), 4, {}, _SMALL_FRAMES),
    Case("cnn-attention", "ce", 64, (41, 1, 28, 28), 4, {}, _SMALL_FRAMES),
    Case("crnn", "ctc", 512, (1, 32, 100), 8, {}, _SMALL_WORDS),
    Case("crnn", "enctc", 512, (1, 32, 100), 8, {}, _SMALL_WORDS),
    Case("svtr-tiny", "ctc", 512, (3, 32, 100), 8, {}, ({}, 1, (3, 32, 100))),
    Case("vitstr-tiny", "ce", 256, (3, 32, 128), 8, {}, ({"depth": 1}, 1, (3, 32, 128))),
    Case("abinet-vision", "conclr", 256, (3, 32, 128), 8, {}, ({"width": 2}, 2, (3, 32, 128))),
    Case("htr-ctc", "ctc", 16, (1, 64, 1024), 40, {}, ({}, 1, (1, 64, 128))),
    Case(
        "cslr-resnet18",
        "vac",
        2,
        (150, 3, 224, 224),
        8,
        {},
        ({"width": 4, "hidden": 8}, 1, (60, 3, 32, 32)),
    ),
]


@dataclass(frozen=True)
class Step:
    """A measured step.

    Attributes:
        name: Model and loss.
        precision: What it computed in.
        batch: Samples per batch.
        measured: Seconds of forward, loss and backward, queued one after the other.
        floor: The least seconds that its products or its bytes take on this device.
        waits: Why the host waited for the device; "" where it did not, None where that is unknown.
    """

    name: str
    precision: str
    batch: int
    measured: float
    floor: float
    waits: str | None


def measure(device: str, rates: Rates, *, tiny: bool) -> Iterator[Step]:
    """Yield the step of each case in each precision."""
    for case in CASES:
        for precision in precisions(device):
            yield _measure(case, precision, device, rates, tiny=tiny)


def _measure(case: Case, precision: str, device: str, rates: Rates, *, tiny: bool) -> Step:
    parameters, count, size = case.tiny if tiny else (case.parameters, case.batch, case.size)
    model: Model = registry.find("model", case.model)(**parameters)
    loss: Loss = registry.find("loss", case.loss)()
    configure_torch(torch.get_num_threads(), precision)  # as a training does
    torch.manual_seed(0)
    network = networks.build_network(model, loss, InputShape(*size[-3:]), CLASSES)
    batch = make_batch(case, count, size)
    views = loss.augmented_views(batch)
    macs = cost.count_macs(network, batch.inputs[:1], batch.lengths[:1]) * len(views.inputs)
    # Weights are read twice and their gradients written; inputs are read.
    moved = sum(3 * weight.nbytes for weight in network.parameters()) + views.inputs.nbytes
    network.to(memory_format=torch.channels_last).to(device)
    step = TrainingStep(network, loss, precision)
    given = batch.to(device)

    def run() -> None:
        step(given).loss.backward()

    for _ in range(1 if tiny else 5):
        run()
    waits = _waits(run, device)
    measured = seconds(run, device, least=0.0 if tiny else 0.5)
    floor = rates.floor(precision, _BACKWARD * macs, moved)
    return Step(f"{case.model} × {case.loss}", precision, count, measured, floor, waits)


def make_batch(case: Case, count: int, size: tuple[int, ...]) -> Batch:
    """Return random samples of full length."""
    labels = min(case.labels, 2) if count < case.batch else case.labels
    targets = torch.randint(1, CLASSES, (count, labels))
    return Batch(
        inputs=torch.rand(count, *size),
        lengths=torch.full((count,), size[0] if len(size) == 4 else size[-1]),
        targets=targets,
        target_lengths=torch.full((count,), labels),
        key_frames=torch.full_like(targets, -1),
        ids=tuple(map(str, range(count))),
    )


def _waits(run, device: str) -> str | None:
    """Return the first wait of the host for the device, "" without any; None on a CPU."""
    if device != "cuda":
        return None
    with _waits_are_errors():
        try:
            run()
        except RuntimeError as error:
            return str(error).strip().splitlines()[0]
    return ""


@contextmanager
def _waits_are_errors() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")

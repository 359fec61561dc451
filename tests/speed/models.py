"""A training step of CRNN, and greedy decoding of handwriting, beside what is written at first.

`nox -s speed -- models` prints both tables: medians of rounds that go round all rows, so that a
machine that slows down slows them alike. bfloat16 is timed where the processor multiplies it. A
training step of bench is one in a process that is configured as that of a trial, so each row of the
first table has a process of its own; at any time one of them computes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.optim import Adam

from bench.core.types import Batch, FeatureDims, Features, InputShape
from bench.losses.ctc import CTC
from bench.models.crnn import CRNN
from bench.models.htr_seq2seq import HtrSeq2seq
from bench.recognizers.networks.network import FrameRecognitionNetwork
from bench.training import device as machine
from bench.training.step import TrainingStep

ROUNDS, THREADS = 9, 2
WORD = InputShape(1, 32, 100)
WORDS, WORD_CLASSES, LABELS = 64, 37, 8
LINE = InputShape(1, 64, 1024)
LINES, LINE_CLASSES, CHARACTERS = 8, 80, 43


class Plain(nn.Module):
    """CRNN as a list of layers."""

    feature_dims = FeatureDims(512)

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(*self._layers())
        self.first = nn.LSTM(512, 256, bidirectional=True)
        self.join = nn.Linear(512, 256)
        self.second = nn.LSTM(256, 256, bidirectional=True)

    @staticmethod
    def _layers() -> Iterator[nn.Module]:
        channels = 1
        for number, width in enumerate((64, 128, 256, 256, 512, 512, 512)):
            last = number == 6
            yield nn.Conv2d(channels, width, 2 if last else 3, padding=0 if last else 1)
            if number in {2, 4, 6}:
                yield nn.BatchNorm2d(width)
            yield nn.ReLU(inplace=True)
            if number in {0, 1}:
                yield nn.MaxPool2d(2)
            if number in {3, 5}:
                yield nn.MaxPool2d(2, (2, 1), (0, 1))
            channels = width

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return features of the columns of whole words."""
        columns = self.convolutions(inputs).squeeze(2).permute(2, 0, 1)
        read = self.second(self.join(self.first(columns)[0]))[0]
        return Features(read.transpose(0, 1)), lengths // 4 + 1


def training_step(network: nn.Module, *, half: bool = False) -> Callable[[], None]:
    """Return one step of Adam on a batch of whole words, as trials take it."""
    torch.manual_seed(0)
    recognizer = FrameRecognitionNetwork(network, CTC().head(FeatureDims(512), WORD_CLASSES))
    step = TrainingStep(recognizer, CTC(), "bf16" if half else "float32")
    optimizer = Adam(recognizer.parameters(), fused=True)
    targets = torch.randint(1, WORD_CLASSES, (WORDS, LABELS))
    batch = Batch(
        torch.rand(WORDS, *WORD),
        torch.full((WORDS,), WORD.width),
        targets,
        torch.full((WORDS,), LABELS),
        torch.full_like(targets, -1),
        tuple(map(str, range(WORDS))),
    )

    def once() -> None:
        optimizer.zero_grad()
        step(batch).loss.backward()
        optimizer.step()

    return once


def plain() -> Callable[[], None]:
    """Return a training step as it is written at first."""
    torch.set_num_threads(THREADS)
    return training_step(Plain())


def ours(*, half: bool = False) -> Callable[[], None]:
    """Return a training step as trials take it."""
    machine.configure_torch(THREADS)
    machine.keep_freed_memory()
    network = CRNN().build(WORD).to(memory_format=torch.channels_last)
    return training_step(network, half=half)


def training_steps() -> dict[str, Callable[[], Callable[[], None]]]:
    """Return what makes the rows of the first table; the first one is the measure."""
    steps = {"layers in a row": plain, "crnn": ours}
    able = torch.cpu.get_capabilities()
    if able["amx_bf16"] or able["avx512_bf16"]:
        steps["crnn, bfloat16"] = partial(ours, half=True)
    return steps


@contextmanager
def elsewhere(make: Callable[[], Callable[[], None]]) -> Iterator[Callable[[], None]]:
    """Yield what runs the step that `make` returns, in a process of its own."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(make, there), daemon=True)
    process.start()
    there.close()
    here.recv()

    def once() -> None:
        here.send(None)
        here.recv()

    yield once
    process.terminate()


def _serve(make: Callable[[], Callable[[], None]], wanted: Connection) -> None:
    step = make()
    while True:
        wanted.send(None)
        wanted.recv()
        step()


def decodings() -> dict[str, Callable[[], None]]:
    """Return the rows of the second table: with and without convolutions, to the end or to all."""
    torch.manual_seed(0)
    network = HtrSeq2seq().build(LINE, LINE_CLASSES)
    network = network.to(memory_format=torch.channels_last).eval()
    head = nn.Linear(network.feature_dims.sequence, LINE_CLASSES)
    lines, lengths = torch.rand(LINES, *LINE), torch.full((LINES,), LINE.width)
    with torch.inference_mode():
        maps, columns = network.convolutions(lines, lengths)
        grid = network.encoder(maps.movedim(1, 3), columns)

    def feedback(steps: int) -> Callable[[Tensor], Tensor | None]:
        # What an untrained head reads says nothing of where a line ends.
        left = iter(reversed(range(steps)))
        return lambda features: head(features).argmax(-1) if next(left) else None

    @torch.inference_mode()
    def decode(steps: int) -> None:
        for _ in network.decoder.glimpses(grid, columns, feedback(steps)):
            pass

    @torch.inference_mode()
    def read(steps: int) -> None:
        network(lines, lengths, feedback(steps))

    return {
        "decoder, all 98 steps": lambda: decode(network.steps),
        f"decoder, {CHARACTERS} and the end": lambda: decode(CHARACTERS + 1),
        "network, all 98 steps": lambda: read(network.steps),
        f"network, {CHARACTERS} and the end": lambda: read(CHARACTERS + 1),
    }


def medians(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the milliseconds of each step, the middle one of `ROUNDS`."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(ROUNDS + 1):
        for name, once in steps.items():
            began = time.perf_counter()
            once()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * statistics.median(taken) for name, taken in seconds.items()}


def table(title: str, found: dict[str, float], measures: dict[str, tuple[str, float]]) -> Table:
    """Return a table of medians, each beside its measure and what it is meant to be faster."""
    drawn = Table("", "ms", "× faster (at least)", title=title)
    for name, taken in found.items():
        measure, least = measures.get(name, (name, 1))
        drawn.add_row(name, f"{taken:.0f}", f"{found[measure] / taken:.2f} ({least})")
    return drawn


def main() -> None:
    """Print both tables for a CPU with two threads."""
    torch.set_num_threads(THREADS)
    with ExitStack() as processes:
        steps = training_steps()
        taken = medians({name: processes.enter_context(elsewhere(steps[name])) for name in steps})
    measure, (whole, ended, read, short) = "layers in a row", decodings()
    Console().print(
        table(
            f"a training step of {WORDS} words of 32 × 100",
            taken,
            {"crnn": (measure, 1.2), "crnn, bfloat16": (measure, 2.2)},
        ),
        table(
            f"{LINES} lines of 64 × {LINE.width}, greedily",
            medians(decodings()),
            {ended: (whole, 2), short: (read, 1)},
        ),
    )


if __name__ == "__main__":
    main()

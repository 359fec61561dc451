"""Trainings by the command line on synthetic data: of each family, and two epochs of Seq-MNIST."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EPOCHS = 2
DIGITS, TINY_DIGITS = 70_000, 210
"""Scans of all splits; the first is the size of MNIST."""
_FAMILIES = """\
[suite.families]
protocol = "digits"
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [%s]
losses = ["ctc", "radial-ctc", "ace", "ce"]
skip_incompatible = true
recipe = { epochs = 1, batch_size = 32, learning_rate = 1e-3 }
resources = { gpus = 1 }
"""
_MNIST = """\
[suite.mnist]
protocol = "digits"
datasets = [{ name = "seq-mnist", synthetic = true }]
models = [%s]
losses = ["ctc"]
recipe = { epochs = 2, batch_size = 64, optimizer = "adadelta", learning_rate = 1.0 }
resources = { gpus = 1, cpus = 2 }
"""


@dataclass(frozen=True)
class Run:
    """A training that has ended.

    Attributes:
        model: The name of the model.
        loss: The name of the loss.
        precision: What it computed in.
        steps: Steps of the training.
        seconds: Wall time of the steps.
        finite: Whether every loss of its curve is a finite number.
        peak_memory: The most bytes that its tensors took on a GPU; None on a CPU.
    """

    model: str
    loss: str
    precision: str
    steps: int
    seconds: float
    finite: bool
    peak_memory: int | None


def families(home: Path, precisions: list[str], *, tiny: bool) -> list[Run]:
    """Train one small network of each family for an epoch, in each precision."""
    narrow = "width = 2, hidden = 4" if tiny else "width = 16, hidden = 48"
    models = [
        f'{{ name = "{model}", {narrow}, recipe = {{ precision = "{precision}" }}, '
        f'label = "{model} {precision}" }}'
        for model in ("cnn-bilstm", "cnn-attention")
        for precision in precisions
    ]
    return _run(home, "families", _FAMILIES % ", ".join(models))


def mnist(home: Path, precisions: list[str], *, tiny: bool) -> list[Run]:
    """Train LeNet++ on rendered digits for two epochs, in each precision."""
    count = TINY_DIGITS if tiny else DIGITS
    _bench(home, "data", "synth", "seq-mnist", "--count", str(count), "--out", "digits")
    _bench(home, "data", "prepare", "seq-mnist", "--source", "digits")
    narrow = "width = 2, features = 4, " if tiny else ""
    models = [
        f'{{ name = "lenetpp", {narrow}recipe = {{ precision = "{precision}" }}, '
        f'label = "lenetpp {precision}" }}'
        for precision in precisions
    ]
    return _run(home, "mnist", _MNIST % ", ".join(models))


def _run(home: Path, suite: str, table: str) -> list[Run]:
    (home / "bench.toml").write_text(table, encoding="utf-8")
    results = home / f"results-{suite}"
    _bench(home, "--results", str(results), "run", suite, "--executor", "inline", "--no-profile")
    return [_read(file) for file in sorted(results.glob("trainings/*/*/*/training.json"))]


def _read(file: Path) -> Run:
    record = json.loads(file.read_text(encoding="utf-8"))
    return Run(
        model=record["spec"]["model"]["name"],
        loss=record["spec"]["loss"]["name"],
        precision=record["provenance"]["precision"],
        steps=record["curve"][-1]["step"],
        seconds=record["timings"]["training"],
        finite=all(math.isfinite(point["loss"]) for point in record["curve"]),
        peak_memory=record["peak_memory"],
    )


def _bench(home: Path, *words: str) -> None:
    """Run bench in `home`; raise RuntimeError with what it said where it fails."""
    answer = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=home,
        env=os.environ | {"BENCH_DATA": str(home / "data")},
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise RuntimeError(f"bench {' '.join(words)}: {answer.stderr[-2000:]}")

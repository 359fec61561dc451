"""The program behind `nox -s gpu`, as far as a CPU can run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).with_name("report.py")


def report(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="it would run for minutes")
def test_without_a_gpu_it_says_that_it_has_not_run():
    answer = report()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "not run: torch sees no GPU on this machine"


@pytest.mark.slow
def test_every_row_is_measured_on_a_cpu():
    answer = report("--device", "cpu", "--tiny")
    assert answer.returncode == 0, answer.stderr + answer.stdout
    for row in (
        "matrix product",
        "step of lenetpp × ctc",
        "step of cslr-resnet18 × vac",
        "training of cnn-attention × ce",
        "training of cnn-bilstm × ace",
        "epoch of Seq-MNIST",
        "loader of Seq-MNIST",
    ):
        assert answer.stdout.count(row) >= 2, row
    assert "CPU, torch " in answer.stdout.splitlines()[-1]

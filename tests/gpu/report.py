"""All that needs a GPU, in one table: measured, the floor of the device, and their ratio.

`nox -s gpu` runs the tests marked `gpu`, trains one small network of each family in each precision,
times single steps of full networks and has torch raise where one waits for the device, trains two
epochs of Seq-MNIST on rendered digits, and compares the loader with the network that it feeds.
Nothing is downloaded. Without a GPU it says that it has not run.

The floor of a step is the larger of its multiply-accumulates over the rate of a large matrix
product in the same precision, and its weights and inputs over the bandwidth of a copy; both rates
are measured first. `--device cpu --tiny` is a quick check of this program itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
import loader
import rates
import runs
import steps

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Print the table; return 1 where something failed."""
    parser = argparse.ArgumentParser(description="Run what needs a GPU, and print one table.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="A quick check of this program.")
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        Console().print("not run: torch sees no GPU on this machine")
        return 0
    report = Report(chosen.device, tiny=chosen.tiny)
    with tempfile.TemporaryDirectory() as home:
        report.run(Path(home))
    console = Console(width=120)
    console.print(report.table)
    console.print("\n".join([report.summary, *report.faults]), markup=False)
    return 1 if report.faults else 0


class Report:
    """The rows of the table, and what failed."""

    def __init__(self, device: str, *, tiny: bool) -> None:
        self.device = device
        self.tiny = tiny
        self.faults: list[str] = []
        self.table = Table("what", "precision", "measured", "floor", "ratio", "note")
        self.began = time.perf_counter()

    @property
    def summary(self) -> str:
        """The machine and the time that it took, in a line."""
        name = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        taken = time.perf_counter() - self.began
        return f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda}, in {taken:.0f} s"

    def run(self, home: Path) -> None:
        """Fill the table."""
        if self.device == "cuda":
            self._tests()
        measured = rates.measure(self.device, tiny=self.tiny)
        self._rates(measured)
        by_name = self._steps(measured)
        self._families(home)
        self._mnist(home, by_name)

    def _tests(self) -> None:
        command = [sys.executable, "-m", "pytest", "-m", "gpu", "-n", "0", "-q"]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        last = (answer.stdout.strip() or answer.stderr.strip()).splitlines()[-1]
        self.table.add_row("tests marked gpu", "", last, "", "", "")
        if answer.returncode:
            self.faults.append(f"tests marked gpu: {answer.stdout[-4000:]}")

    def _rates(self, measured: rates.Rates) -> None:
        for precision, rate in measured.macs.items():
            self.table.add_row("matrix product", precision, f"{2 * rate / 1e12:.3g} TFLOP/s")
        self.table.add_row("copy", "", f"{measured.bytes / 1e9:.3g} GB/s")

    def _steps(self, measured: rates.Rates) -> dict[tuple[str, str], steps.Step]:
        by_name = {}
        for step in steps.measure(self.device, measured, tiny=self.tiny):
            by_name[step.name, step.precision] = step
            self.table.add_row(
                f"step of {step.name}, batch {step.batch}",
                step.precision,
                f"{1000 * step.measured:.2f} ms",
                f"{1000 * step.floor:.2f} ms",
                f"{step.measured / step.floor:.1f}",
                step.waits or ("no wait" if step.waits == "" else ""),
            )
            if step.waits:
                self.faults.append(f"{step.name}, {step.precision}: {step.waits}")
        return by_name

    def _families(self, home: Path) -> None:
        trained = runs.families(home, rates.precisions(self.device), tiny=self.tiny)
        for run in trained:
            name = f"training of {run.model} × {run.loss}"
            note = memory(run) if run.finite else "its loss is not finite"
            self.table.add_row(name, run.precision, f"{run.seconds:.1f} s", "", "", note)
            if not run.finite:
                self.faults.append(f"{name}, {run.precision}: {note}")

    def _mnist(self, home: Path, by_name: dict[tuple[str, str], steps.Step]) -> None:
        for run in runs.mnist(home, rates.precisions(self.device), tiny=self.tiny):
            step = by_name["lenetpp × ctc", run.precision]
            measured, floor = run.seconds / runs.EPOCHS, run.steps / runs.EPOCHS * step.floor
            self.table.add_row(
                f"epoch of Seq-MNIST, {run.steps // runs.EPOCHS} steps",
                run.precision,
                f"{measured:.2f} s",
                f"{floor:.2f} s",
                f"{measured / floor:.1f}",
                f"{1000 * run.seconds / run.steps:.1f} ms per step {memory(run)}".strip(),
            )
        rate = loader.samples_per_second(home, self.device)
        for precision in rates.precisions(self.device):
            step = by_name["lenetpp × ctc", precision]
            needed = step.batch / step.measured
            self.table.add_row(
                "loader of Seq-MNIST against a step",
                precision,
                f"{rate:,.0f}/s",
                f"{needed:,.0f}/s",
                f"{needed / rate:.2f}",
                "above 1 the device waits for the loader",
            )


def memory(run: runs.Run) -> str:
    """Return the peak of the memory of a training on a GPU."""
    return f"{run.peak_memory / 2**20:,.0f} MiB" if run.peak_memory else ""


if __name__ == "__main__":
    sys.exit(main())

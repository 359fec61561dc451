"""The curves of a training: loss, learning rate and validation score by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bench.diagnostics import canvas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.diagnostics.finished import FinishedTraining


def draw(training: FinishedTraining, folder: Path) -> Iterator[Path]:
    """Draw loss, learning rate and validation label error rate; mark the selected step."""
    record, file = training.record, folder / "curves.png"
    curve, selected = record.curve, record.selected_step
    steps = [point.step for point in curve]
    with canvas.figure_sheet(file, 10, 3) as figure:
        figure.suptitle(f"{training.title}\ndashed: step {selected}, whose weights are kept")
        loss, rate, scores = figure.subplots(1, 3)
        _line(loss, "training loss", steps, [point.loss for point in curve])
        _line(rate, "learning rate", steps, [point.learning_rate for point in curve])
        rate.set_ylim(bottom=0)
        errors = [100 * point.validation_ler for point in curve]
        _line(scores, "validation label error rate, %", steps, errors, canvas.ACCENT)
        scores.set_ylim(bottom=0)
        for axes in (loss, rate, scores):
            axes.axvline(selected, color=canvas.BLANK, linestyle="--", zorder=0)
    yield file


def _line(
    axes: Axes, title: str, steps: list[int], values: list[float], color: str = "black"
) -> None:
    axes.plot(steps, values, color=color, marker="o", markersize=3, linewidth=1.2)
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

"""How training went, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bench.figures import canvas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.figures.finished_trial import FinishedTrial


def draw(trial: FinishedTrial, _identities: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw training loss, learning rate and validation scores; mark the epoch that was tested."""
    record, file = trial.record, folder / "curves.png"
    epochs = [one.epoch for one in record.curve]
    with canvas.sheet(file, 10, 3) as figure:
        figure.suptitle(f"{trial.title}\ndashed: epoch {record.selected_epoch}, which was tested")
        loss, rate, scores = figure.subplots(1, 3)
        _line(loss, "training loss", epochs, [one.loss for one in record.curve])
        _line(rate, "learning rate", epochs, [one.learning_rate for one in record.curve])
        rate.set_ylim(bottom=0)
        errors = [100 * one.validation_ler for one in record.curve]
        _line(scores, "validation label error rate, %", epochs, errors, canvas.ACCENT)
        scores.set_ylim(bottom=0)
        for axes in (loss, rate, scores):
            axes.axvline(record.selected_epoch, color=canvas.BLANK, linestyle="--", zorder=0)
    yield file


def _line(
    axes: Axes, title: str, epochs: list[int], values: list[float], color: str = "black"
) -> None:
    axes.plot(epochs, values, color=color, marker="o", markersize=3, linewidth=1.2)
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

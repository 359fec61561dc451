"""The samples with the most errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.data.inspection import contact_sheet
from bench.diagnostics import canvas
from bench.evaluation import predictions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.diagnostics.finished import FinishedEvaluation

_MAX_SAMPLES = 20
_MAX_FRAMES = 20


def draw(evaluation: FinishedEvaluation, _samples: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw a contact sheet of the samples with the most errors.

    Raises:
        BenchError: All samples were read without errors (nothing).
    """
    worst = predictions.worst_samples(evaluation.predictions, evaluation.protocol, _MAX_SAMPLES)
    if not worst:
        raise BenchError(
            f"{evaluation.folder}: all samples were read without errors, so there is nothing to "
            "draw",
            Exit.NOTHING,
        )
    cells = []
    for identity, reference, hypothesis, errors in worst:
        pixels = evaluation.pixels(identity, _MAX_FRAMES)
        count = f"{errors} error{'s' * (errors != 1)} · {identity}"
        text = f"reference: {reference}\nread as: {hypothesis or '(nothing)'}\n{count}"
        cells.append(contact_sheet.CaptionedSample(identity, text, pixels))
    yield canvas.write_png(folder / "worst.png", contact_sheet.draw_contact_sheet(cells))

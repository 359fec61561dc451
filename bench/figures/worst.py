"""The samples with the most edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.data.inspection import contact_sheet as sheets
from bench.evaluation import predictions
from bench.figures import canvas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.figures.finished_trial import FinishedTrial

_COUNT = 20
_FRAMES = 20


def draw(trial: FinishedTrial, _identities: Sequence[str], folder: Path) -> Iterator[Path]:
    """Draw a contact sheet of what was read worst. Raises BenchError where all was read right."""
    wrong = predictions.worst(trial.predictions, _COUNT)
    if not wrong:
        raise BenchError(
            f"{trial.folder}: every sample of {trial.split} was read without an edit, so there is "
            "no worst one to draw",
            Exit.NOTHING,
        )
    shown = []
    for identity, reference, hypothesis, edits in wrong:
        pixels = sheets.pixels(*trial.sample(identity), frames=_FRAMES)
        told = f"{edits} edit{'s' * (edits != '1')} · {identity}"
        text = f"reference: {reference}\nread as: {hypothesis or '(nothing)'}\n{told}"
        shown.append(sheets.Shown(identity, text, pixels))
    yield canvas.write_png(folder / "worst.png", sheets.sheet(shown))

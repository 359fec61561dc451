"""Pictures of finished trainings and evaluations: `bench docs pictures`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.trials.store import Store

PICTURES = {
    "attention": "Draw the attention maps of each symbol: a GIF and a strip per sample.",
    "alignment": "Draw class posteriors over time under a sample, and the paths through them.",
    "features": "Draw the features of all frames as points, colored by class.",
    "curves": "Draw loss, learning rate and validation label error rate by epoch.",
    "worst": "Draw the samples with the most errors, with what was read.",
}
"""The help text of each picture, by the name of the module that draws it."""
SAMPLED = ("attention", "alignment")
"""Pictures of single samples."""
OF_TRAININGS = ("curves",)
"""Pictures of a training; the others are of an evaluation."""


def draw_pictures(
    store: Store,
    key: str,
    pictures: Sequence[str],
    samples: Sequence[str] = (),
    out: Path | None = None,
) -> Iterator[Path]:
    """Draw pictures of a finished training or evaluation, and yield each written file.

    Args:
        store: The records.
        key: The beginning of a key, or a folder (see `Store.find`).
        pictures: Names in `PICTURES`. If `key` is an evaluation, pictures of a training are drawn
            of its training.
        samples: Ids of samples for pictures of single samples; if empty, samples are chosen by
            `FinishedEvaluation.choose_samples`.
        out: The folder of the files; None for `figures` in the folder of the record.

    Raises:
        BenchError: The task failed or has the wrong kind, its data, components or weights have
            changed, the picture cannot be drawn of it, or matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401 (tested here, to name the command that installs it)
    except ImportError:
        raise BenchError(
            "matplotlib, which draws pictures, is not installed; run: pip install 'matplotlib>=3.9'"
        ) from None
    from bench.diagnostics.finished import FinishedEvaluation, find_finished

    finished, folder = find_finished(store, key)
    evaluation = finished if isinstance(finished, FinishedEvaluation) else None
    training = finished if not isinstance(finished, FinishedEvaluation) else finished.training
    for name in pictures:
        module = import_module(f"{__name__}.{name}")
        if name in OF_TRAININGS:
            yield from module.draw(training, out or folder / "figures")
        elif evaluation is None:
            raise BenchError(
                f"{folder}: --{name} draws what an evaluation read, but this is a training; give "
                "the key of one of its evaluations, which `bench show` lists"
            )
        else:
            yield from module.draw(evaluation, samples, out or folder / "figures")

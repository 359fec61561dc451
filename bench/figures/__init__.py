"""Pictures of a finished trial, from its record, predictions and weights: docs/pictures.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.trials.store import Store

PICTURES = {
    "attention": "Draw where the network looked for each symbol: a GIF and a strip a sample.",
    "alignment": "Draw class posteriors over time under a sample, and the paths through them.",
    "features": "Draw the features of all frames in the colours of their classes.",
    "curves": "Draw loss, learning rate and validation scores by epoch.",
    "worst": "Draw the samples with the most edits, with what was read.",
}
"""What can be drawn, each by the module of its name; and what `bench show --help` says of it."""
SAMPLED = ("attention", "alignment")
"""The pictures of single samples."""


def draw(
    store: Store,
    word: str,
    pictures: Sequence[str],
    identities: Sequence[str] = (),
    out: Path | None = None,
) -> Iterator[Path]:
    """Draw `pictures` of the trial that `word` means (see `Store.find`); yield each file written.

    They go to `out`, else to `figures` in the trial's folder. Those of single samples are drawn of
    the samples called `identities`, where there are any; else see `FinishedTrial.chosen`. Raises
    BenchError where the trial failed, where it cannot be made again as it was in the test, and
    where there is no such picture of it.
    """
    try:
        import matplotlib as mpl  # noqa: F401 (here for its sentence)
    except ImportError:
        raise BenchError(
            "pictures are drawn with matplotlib, which is not installed; run: "
            "pip install 'matplotlib>=3.9'"
        ) from None
    from bench.figures.finished_trial import FinishedTrial
    from bench.trials.store import Failure

    folder, found = store.find(word)
    if isinstance(found, Failure):
        raise BenchError(f"{folder}: this trial failed, so there is nothing to draw of it")
    trial, out = FinishedTrial(folder, found), out or folder / "figures"
    for name in pictures:
        yield from import_module(f"{__name__}.{name}").draw(trial, identities, out)

"""Synthetic data sets: rendered samples in the files of real ones, to try bench without the data.

A score on one says that something works, and nothing about the real data set. `bench docs
synthetic` shows what they are and are not.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal

from bench.core.errors import BenchError, did_you_mean
from bench.synthetic.marker import MARKER, claim, is_marked, mark

__all__ = ["MARKER", "NAMES", "Difficulty", "generate", "is_marked"]

Difficulty = Literal["easy", "hard"]
"""Of words: `easy` ones are short and clean, `hard` ones as varied as those of signs."""

_MODULES = {
    "iiit5k": "synth90k",
    "iam": "iam",
    "phoenix14": "phoenix14",
    "phoenix14-si5": "phoenix14",
    "phoenix14-t": "phoenix14",
    "seq-mnist": "mnist",
    "synth90k": "synth90k",
}
NAMES = tuple(_MODULES)
_WITH_DIFFICULTY = ("iiit5k", "synth90k")


def generate(
    name: str,
    out: Path,
    count: int,
    *,
    seed: int = 0,
    difficulty: Difficulty = "easy",
    advance: Callable[[int], None] | None = None,
) -> None:
    """Write a synthetic data set.

    The same arguments give the same bytes on the same versions of NumPy, OpenCV and Pillow.
    SYNTHETIC.toml is the first file and the last: it says whether the data set is complete.

    Args:
        name: The data set whose files are imitated, one of `NAMES`.
        out: A new or empty folder; one in which rendering was interrupted is cleared.
        count: How many samples, over all splits.
        seed: What everything random is drawn from.
        difficulty: `easy` words are short and clean, so that a small network reads some of them
            after a minute; `hard` ones are varied. Other data sets have one difficulty.
        advance: Told after each sample how many more there are.

    Raises:
        BenchError: The name is unknown, `out` holds something else, or `count` is too small or too
            large for the files of the data set.
    """
    if name not in _MODULES:
        raise BenchError(f"there is no synthetic '{name}'{did_you_mean(name, NAMES)}")
    if difficulty != "easy" and name not in _WITH_DIFFICULTY:
        raise BenchError(
            f"synthetic '{name}' has no difficulty '{difficulty}', only words have; leave "
            "--difficulty out"
        )
    import numpy as np

    from bench.synthetic.job import Job

    claim(out)
    mark(out, name, count, seed, difficulty, complete=False)
    rng = np.random.default_rng(seed)
    job = Job(name, out, count, rng, difficulty, advance or (lambda _: None))
    import_module(f"{__name__}.{_MODULES[name]}").write(job)
    mark(out, name, count, seed, difficulty, complete=True)

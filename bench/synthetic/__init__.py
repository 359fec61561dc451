"""Synthetic data sets: generated samples in the files of real data sets, to try bench without data.

A score on a synthetic data set shows that something works, and nothing about the real data set; see
`bench docs synthetic`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal

from bench.core.errors import BenchError, did_you_mean
from bench.synthetic.marker import MARKER, claim_folder, is_marked, write_marker

__all__ = ["MARKER", "NAMES", "Difficulty", "generate", "is_marked"]

Difficulty = Literal["easy", "hard"]
"""The difficulty of words: `easy` ones are short and clean, `hard` ones are varied."""

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


def generate_dataset(
    name: str,
    out: Path,
    count: int,
    *,
    seed: int = 0,
    difficulty: Difficulty = "easy",
    advance: Callable[[int], None] | None = None,
) -> None:
    """Write a synthetic data set.

    The same arguments give the same bytes with the same versions of NumPy, OpenCV and Pillow.
    SYNTHETIC.toml is written first and last, and states whether the data set is complete.

    Args:
        name: The data set whose files are imitated, one of `NAMES`.
        out: A new or empty folder; the files of an interrupted generation are removed.
        count: The number of samples of all splits.
        seed: The seed of all random draws.
        difficulty: `easy` words are short and clean, so that a small network reads some of them
            after a minute of training; `hard` ones are varied. Other data sets have one difficulty.
        advance: Called with the number of samples that were written since the last call.

    Raises:
        BenchError: The name is unknown, `out` has other files, or `count` is too small or too large
            for the files of the data set.
    """
    if name not in _MODULES:
        raise BenchError(f"there is no synthetic data set '{name}'{did_you_mean(name, NAMES)}")
    if difficulty != "easy" and name not in _WITH_DIFFICULTY:
        raise BenchError(
            f"synthetic '{name}' has no difficulty '{difficulty}', because only words have one; "
            "remove --difficulty"
        )
    import numpy as np

    from bench.synthetic.job import Job

    claim_folder(out)
    write_marker(out, name, count, seed, difficulty, complete=False)
    rng = np.random.default_rng(seed)
    job = Job(name, out, count, rng, difficulty, advance or (lambda _: None))
    import_module(f"{__name__}.{_MODULES[name]}").write(job)
    write_marker(out, name, count, seed, difficulty, complete=True)

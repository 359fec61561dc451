"""Synthetic stand-ins in the layouts of real distributions, to try the pipeline without the data.

They are rendered: a score on one says that something works, and nothing about the real dataset.
docs/synthetic.md shows what they are and are not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import import_module
from itertools import chain
from pathlib import Path

from bench.core.errors import BenchError, Exit, did_you_mean

MARKER = "SYNTHETIC.toml"
_MODULES = {
    "iam": "iam",
    "phoenix14": "phoenix14",
    "phoenix14-si5": "phoenix14",
    "phoenix14-t": "phoenix14",
    "seq-mnist": "mnist",
    "synth90k": "synth90k",
}
NAMES = tuple(_MODULES)


def generate(
    name: str,
    out: Path,
    count: int,
    *,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
) -> None:
    """Write `count` samples in the layout of the dataset `name` to the folder `out`.

    The same arguments give the same bytes on the same versions of NumPy, OpenCV and Pillow. After
    each sample `advance` is told how many more there are. SYNTHETIC.toml is the first file and the
    last: it says whether the tree is complete. Raises BenchError where the name is unknown, `out`
    holds something but half a stand-in, or `count` is too small or too large for the layout.
    """
    if name not in _MODULES:
        raise BenchError(f"there is no synthetic '{name}'{did_you_mean(name, NAMES)}")
    import numpy as np

    from bench.synthetic import image_tree as tree

    tree.claim(out)
    tree.mark(out, name, count, seed, complete=False)
    order = tree.Order(name, out, count, np.random.default_rng(seed), advance or (lambda _: None))
    import_module(f"{__name__}.{_MODULES[name]}").write(order)
    tree.mark(out, name, count, seed, complete=True)


def is_marked(source: Path) -> bool:
    """Return whether `source` is a stand-in, is within one, or has one within.

    Raises BenchError where it is half of one.
    """
    around = (source, *source.absolute().parents)
    within = (file for depth in ("*", "*/*") for file in source.glob(f"{depth}/{MARKER}"))
    files = (file for folder in around if (file := folder / MARKER).exists())
    for file in chain(files, within):
        if not is_complete(file):
            raise BenchError(
                f"{file.parent}: rendering these synthetic samples was interrupted; run "
                "`bench data synth` again, which begins this folder anew"
            )
        return True
    return False


def is_complete(marker: Path) -> bool | None:
    """Return whether the stand-in of `marker` was rendered to its end, None where there is none.

    Raises BenchError where it is no marker of bench.
    """
    if not marker.is_file():
        return None
    try:
        return bool(tomllib.loads(marker.read_text(encoding="utf-8"))["complete"])
    except (ValueError, KeyError):
        raise BenchError(
            f"{marker}: this does not say whether the stand-in is complete; remove the folder and "
            "run `bench data synth` again",
            Exit.UNVERIFIED,
        ) from None

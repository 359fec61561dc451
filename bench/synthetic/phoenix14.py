"""Signed sentences in the trees of RWTH-PHOENIX-Weather 2014, its SI5 division, and 2014-T.

Koller, Forster and Ney, "Continuous sign language recognition" (CVIU 2015), and Camgöz et al.,
"Neural Sign Language Translation" (CVPR 2018). Clips are named like the real ones, and glosses look
like theirs; what the signs look like is made up (see `signing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

import numpy as np

from bench.synthetic.job import Job, spread, write_png
from bench.synthetic.randomness import happens, one_of
from bench.synthetic.signing import SIGNS, Signer, clip

_SHARES = {"train": 5672, "dev": 540, "test": 629}
"""The real sizes, which decide the ratio."""
_PIXELS = "features/fullFrame-210x260px"
_SIGNERS, _HELD_OUT = 9, 5
_EVENING = date(2009, 7, 1)
_CLIPS = 6
"""Clips of one programme of an evening."""


@dataclass(frozen=True)
class _Release:
    """Templates of what a release consists of: its folder, lists, rows, clips and frames."""

    root: str
    rows: str
    header: str
    row: str
    clip: str
    frame: str
    bounds: bool = True
    """Whether glosses say that the hands are raised and lowered."""
    divided: bool = False
    """Whether train has all signers but one, and dev and test that one alone."""


def _multisigner(folder: str, rows: str, *, divided: bool = False) -> _Release:
    return _Release(
        root=f"phoenix2014-release/{folder}",
        rows=rows,
        header="id|folder|signer|annotation",
        row="{clip}|{clip}/1/*.png|{signer}|{glosses}\n",
        clip="{day}_{show}_default-{number}",
        frame="1/{day}_{show}.avi_pid0_fn{frame:06}-0.png",
        divided=divided,
    )


_RELEASES = {
    "phoenix14": _multisigner("phoenix-2014-multisigner", "{part}.corpus.csv"),
    "phoenix14-si5": _multisigner(
        "phoenix-2014-signerindependent-SI5", "{part}.SI5.corpus.csv", divided=True
    ),
    "phoenix14-t": _Release(
        root="PHOENIX-2014-T-release-v3/PHOENIX-2014-T",
        rows="PHOENIX-2014-T.{part}.corpus.csv",
        header="name|video|start|end|speaker|orth|translation",
        row="{clip}|{clip}/1/*.png|-1|-1|{signer}|{glosses}|{translation}\n",
        clip="{day}_{show}-{number}",
        frame="images{place:04}.png",
        bounds=False,
    ),
}


def write(job: Job) -> None:
    """Write clips as folders of PNG frames, and the lists of train, dev and test."""
    release, rng = _RELEASES[job.name], job.rng
    sizes = spread(job, _SHARES)
    root = job.out / release.root
    lists = root / "annotations" / "manual"
    lists.mkdir(parents=True)
    signers = {number: Signer.draw(rng) for number in range(1, _SIGNERS + 1)}
    programmes = _programmes()
    for part, size in sizes.items():
        seen = [n for n in signers if not release.divided or (n == _HELD_OUT) == (part != "train")]
        with (lists / release.rows.format(part=part)).open("w") as rows:
            rows.write(f"{release.header}\n")
            for programme in islice(programmes, size):
                signer, glosses = one_of(rng, seen), _sentence(rng, bounds=release.bounds)
                name = release.clip.format_map(programme)
                for number, image in enumerate(clip(glosses, signers[signer], rng)):
                    file = release.frame.format(frame=number, place=number + 1, **programme)
                    frame = root / _PIXELS / part / name / file
                    frame.parent.mkdir(parents=True, exist_ok=True)
                    write_png(frame, image)
                rows.write(_row(release, name, signer, glosses))
                job.advance(1)


def _row(release: _Release, name: str, signer: int, glosses: list[str]) -> str:
    spoken = " ".join(glosses)
    return release.row.format(
        clip=name, signer=f"Signer{signer:02}", glosses=spoken, translation=f"{spoken.lower()} ."
    )


def _programmes() -> Iterator[dict[str, object]]:
    """Yield what names one clip after the other: an evening, a programme and a number in it."""
    evening = _EVENING
    while True:
        for show in ("heute", "tagesschau"):
            for number in range(_CLIPS):
                yield {"day": f"{evening:%d%B_%Y_%A}", "show": show, "number": number}
        evening += timedelta(days=1)


def _sentence(rng: np.random.Generator, *, bounds: bool) -> list[str]:
    """Return two to eight glosses, never one twice in a row, half of the times with bounds."""
    glosses: list[str] = []
    for _ in range(rng.integers(2, 9)):
        glosses.append(one_of(rng, [sign for sign in SIGNS if sign not in glosses[-1:]]))
    if bounds and happens(rng, 0.5):
        glosses.insert(0, "__ON__")
    if bounds and happens(rng, 0.5):
        glosses.append("__OFF__")
    return glosses

"""Synthetic signed sentences in the files of RWTH-PHOENIX-Weather 2014, its SI5 split, and 2014-T.

Names of clips and glosses resemble those of the data sets; signs are invented (see `signing`).

Source of the files: Koller, Forster and Ney, "Continuous sign language recognition" (CVIU 2015),
and Camgöz et al., "Neural Sign Language Translation" (CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

import numpy as np

from bench.synthetic.job import Job, divide_samples, write_png
from bench.synthetic.randomness import happens, one_of
from bench.synthetic.signing import SIGNS, Signer, draw_clip

_SHARES = {"train": 5672, "dev": 540, "test": 629}
"""The sizes of PHOENIX14, which give the ratio of the splits."""
_PIXELS = "features/fullFrame-210x260px"
_SIGNERS, _HELD_OUT = 9, 5
_EVENING = date(2009, 7, 1)
_CLIPS = 6
"""Clips per television program and evening."""


@dataclass(frozen=True)
class _Release:
    """Templates of the files of a release.

    Attributes:
        root: The folder.
        rows: The file name of the table of a part.
        header: The header of a table.
        row: A row of a table.
        clip: The name of a clip.
        frame: The path of a frame in the folder of its clip.
        bounds: Whether glosses mark that the hands are raised and lowered.
        divided: Whether train has all signers but one, and dev and test only that one.
    """

    root: str
    rows: str
    header: str
    row: str
    clip: str
    frame: str
    bounds: bool = True
    divided: bool = False


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
        frame="images{index:04}.png",
        bounds=False,
    ),
}


def write(job: Job) -> None:
    """Write clips as folders of PNG frames, and the tables of train, dev and test."""
    release, rng = _RELEASES[job.name], job.rng
    sizes = divide_samples(job, _SHARES)
    root = job.out / release.root
    lists = root / "annotations" / "manual"
    lists.mkdir(parents=True)
    signers = {number: Signer.draw(rng) for number in range(1, _SIGNERS + 1)}
    programmes = _programmes()
    for part, size in sizes.items():
        allowed_signers = [
            n for n in signers if not release.divided or (n == _HELD_OUT) == (part != "train")
        ]
        with (lists / release.rows.format(part=part)).open("w") as rows:
            rows.write(f"{release.header}\n")
            for programme in islice(programmes, size):
                signer, glosses = (
                    one_of(rng, allowed_signers),
                    _sentence(rng, bounds=release.bounds),
                )
                name = release.clip.format_map(programme)
                for number, image in enumerate(draw_clip(glosses, signers[signer], rng)):
                    file = release.frame.format(frame=number, index=number + 1, **programme)
                    frame = root / _PIXELS / part / name / file
                    frame.parent.mkdir(parents=True, exist_ok=True)
                    write_png(frame, image)
                rows.write(_row(release, name, signer, glosses))
                job.advance(1)


def _row(release: _Release, name: str, signer: int, glosses: list[str]) -> str:
    sentence = " ".join(glosses)
    return release.row.format(
        clip=name,
        signer=f"Signer{signer:02}",
        glosses=sentence,
        translation=f"{sentence.lower()} .",
    )


def _programmes() -> Iterator[dict[str, object]]:
    """Yield the parts of the names of clips: evening, television program and number."""
    evening = _EVENING
    while True:
        for show in ("heute", "tagesschau"):
            for number in range(_CLIPS):
                yield {"day": f"{evening:%d%B_%Y_%A}", "show": show, "number": number}
        evening += timedelta(days=1)


def _sentence(rng: np.random.Generator, *, bounds: bool) -> list[str]:
    """Return two to eight glosses without immediate repetition, with random bounds."""
    glosses: list[str] = []
    for _ in range(rng.integers(2, 9)):
        glosses.append(one_of(rng, [sign for sign in SIGNS if sign not in glosses[-1:]]))
    if bounds and happens(rng, 0.5):
        glosses.insert(0, "__ON__")
    if bounds and happens(rng, 0.5):
        glosses.append("__OFF__")
    return glosses

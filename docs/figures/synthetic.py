"""Draw the figure of docs/how-to/synthetic.md: `uv run python docs/figures/synthetic.py`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.synthetic.handwriting import Hand, write_line
from bench.synthetic.lettering import Lettering
from bench.synthetic.mnist import draw_digit
from bench.synthetic.signing import Signer, draw_clip
from bench.synthetic.vocabulary import COMMON, sentences

WIDTH, GAP = 1000, 8
Picture = NDArray[np.uint8]


def in_rows(pictures: list[Picture], rows: int) -> Picture:
    """Return as many pictures as fit into `rows` of one width, each row as high as its first."""
    drawn, left = [], iter(pictures)
    for _ in range(rows):
        row = next(left)
        for picture in left:
            height = max(len(row), len(picture))
            wider = np.hstack([raised(row, height), blank(height, GAP), raised(picture, height)])
            if wider.shape[1] > WIDTH:
                break
            row = wider
        drawn.append(np.hstack([row, blank(len(row), WIDTH - row.shape[1])]))
    return stacked(drawn)


def raised(picture: Picture, height: int) -> Picture:
    """Return the picture with white below it."""
    return np.vstack([picture, blank(height - len(picture), picture.shape[1])])


def blank(height: int, width: int) -> Picture:
    """Return white paper."""
    return np.full((height, width, 3), 255, np.uint8)


def stacked(pictures: list[Picture]) -> Picture:
    """Return pictures of one width, one below the other."""
    return np.vstack([part for picture in pictures for part in (picture, blank(GAP, WIDTH))])


def lines(rng: np.random.Generator) -> list[Picture]:
    """Return lines of handwriting at half their size, each of another hand."""
    written = []
    for tokens in islice(sentences(rng), 4):
        image = write_line(tokens, Hand.draw(rng), rng).image
        half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        page = cv2.cvtColor(half[:, :WIDTH], cv2.COLOR_GRAY2BGR)
        written.append(np.hstack([page, blank(len(page), WIDTH - page.shape[1])]))
    return written


def main() -> None:
    """Write synthetic.jpg beside this file."""
    rng = np.random.default_rng(1)
    lettering = Lettering(rng)
    words = [COMMON[place] for place in rng.permutation(len(COMMON))[:60]]
    cases = (str.lower, str.upper, str.capitalize)
    pictures = [lettering.picture(cases[n % 3](word)) for n, word in enumerate(words)]
    frames = [*draw_clip(["__ON__", "NORD", "WOLKE", "SONNE"], Signer.draw(rng), rng)][::4]
    small = [cv2.resize(frame, (105, 130), interpolation=cv2.INTER_AREA) for frame in frames]
    digits = [cv2.cvtColor(draw_digit(n % 10, rng), cv2.COLOR_GRAY2BGR) for n in range(60)]
    parts = [in_rows(pictures, 6), *lines(rng), in_rows(small, 1), in_rows(digits, 1)]
    options = [cv2.IMWRITE_JPEG_QUALITY, 75]
    cv2.imwrite(str(Path(__file__).with_suffix(".jpg")), stacked(parts), options)


if __name__ == "__main__":
    main()

"""Words in the tree of Synth90k's archive: JPEGs, a lexicon and lists of both."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count as numbers

import cv2

from bench.data.synthetic.chance import one_of
from bench.data.synthetic.lettering import Lettering
from bench.data.synthetic.tree import Order, spread
from bench.data.synthetic.vocabulary import lexicon

ROOT = "mnt/ramdisk/max/90kDICT32px"
SHARES = {"train": 7_224_612, "val": 802_734, "test": 891_927}
"""The real sizes, which decide the ratio."""
WORDS = 5000
_FOLDERS, _IMAGES = 7, 400
"""Folders in each numbered one, and images in each of these."""
_CASES = (str.lower, str.upper, str.capitalize)


def write(order: Order) -> None:
    """Write images of words in lower case, upper case or capitalised, and their lists."""
    counts, rng = spread(order, SHARES), order.rng
    root = order.out / ROOT
    root.mkdir(parents=True)
    words = lexicon(rng, WORDS)
    (root / "lexicon.txt").write_text("".join(f"{word}\n" for word in words))
    lettering = Lettering(rng)
    block = numbers(1)
    with ExitStack() as stack:
        every = stack.enter_context((root / "annotation.txt").open("w"))
        images = stack.enter_context((root / "imlist.txt").open("w"))
        for part, size in counts.items():
            rows = stack.enter_context((root / f"annotation_{part}.txt").open("w"))
            for place in range(size):
                if place % (_FOLDERS * _IMAGES) == 0:
                    folder = next(block)
                inner, within = divmod(place % (_FOLDERS * _IMAGES), _IMAGES)
                path = f"./{folder}/{inner + 1}"
                if within == 0:
                    (root / path).mkdir(parents=True)
                index = int(rng.integers(len(words)))
                word = one_of(rng, _CASES)(words[index])
                name = f"{path}/{within + 1}_{word}_{index}.jpg"
                quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))]
                _, encoded = cv2.imencode(".jpg", lettering.picture(word), quality)
                (root / name).write_bytes(encoded.tobytes())
                rows.write(f"{name} {index}\n")
                every.write(f"{name} {index}\n")
                images.write(f"{name}\n")
                order.advance(1)

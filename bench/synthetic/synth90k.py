"""Synthetic words in the files of Synth90k: JPEGs, a lexicon and annotation files.

For other names than synth90k, all words are in the test split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import cv2

from bench.synthetic.job import Job, divide_samples
from bench.synthetic.lettering import Lettering
from bench.synthetic.randomness import one_of
from bench.synthetic.vocabulary import lexicon, short_words

_ROOT = "mnt/ramdisk/max/90kDICT32px"
_SHARES = {"train": 7_224_612, "val": 802_734, "test": 891_927}
"""The sizes of Synth90k, which give the ratio of the splits."""
_WORDS = 5000
_FOLDERS, _IMAGES = 7, 400
"""The number of subfolders per folder, and of images per subfolder."""
_CASES = (str.lower, str.upper, str.capitalize)


def write(job: Job) -> None:
    """Write images of words, the lexicon and annotation files.

    Easy words are short, in capitals and clean; hard ones are in lower case, in upper case or
    capitalized.
    """
    shares = _SHARES if job.name == "synth90k" else {"test": 1}
    paths, rng = _image_paths(divide_samples(job, shares)), job.rng
    root = job.out / _ROOT
    root.mkdir(parents=True)
    easy = job.difficulty == "easy"
    words = short_words() if easy else lexicon(rng, _WORDS)
    (root / "lexicon.txt").write_text("".join(f"{word}\n" for word in words))
    lettering = Lettering(rng)
    draw = lettering.clean_picture if easy else lettering.picture
    names = ("annotation", "imlist", *(f"annotation_{part}" for part in shares))
    with ExitStack() as stack:
        lists = {name: stack.enter_context((root / f"{name}.txt").open("w")) for name in names}
        for part, folder, number in paths:
            if number == 1:
                (root / folder).mkdir(parents=True)
            index = int(rng.integers(len(words)))
            word = words[index].upper() if easy else one_of(rng, _CASES)(words[index])
            path = f"{folder}/{number}_{word}_{index}.jpg"
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))]
            _, encoded = cv2.imencode(".jpg", draw(word), quality)
            (root / path).write_bytes(encoded.tobytes())
            for name in ("annotation", f"annotation_{part}"):
                lists[name].write(f"{path} {index}\n")
            lists["imlist"].write(f"{path}\n")
            job.advance(1)


def _image_paths(sizes: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """Yield the part, the folder and the number of each image; no folder has two parts."""
    block = 0
    for part, size in sizes.items():
        for image in range(size):
            folder, number = divmod(image, _IMAGES)
            outer, inner = divmod(folder, _FOLDERS)
            yield part, f"./{block + outer + 1}/{inner + 1}", number + 1
        block += -(-size // (_FOLDERS * _IMAGES))

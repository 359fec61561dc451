"""Statistics of cards against the data themselves, where these are at hand.

BENCH_TEST_DATA names a folder with `mnist/`, MNIST's four files, gzipped, and `iiit5k.tar`, the
words of IIIT5k in the layout of Synth90k.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import statistics
import tarfile
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bench.data import cards

DATA = Path(os.environ.get("BENCH_TEST_DATA") or "data at hand, there are none")


def needs(name):
    return pytest.mark.skipif(
        not (DATA / name).exists(), reason=f"needs {name} in the folder that BENCH_TEST_DATA names"
    )


def counted(name, split):
    """Return what the card says was counted, without what was not."""
    found = next(s for s in cards.all_cards()[name].statistics if s.split == split)
    told = {k: v for k, v in vars(found).items() if v is not None}
    return {k: v for k, v in told.items() if k not in {"split", "about"}}


def spread(values):
    return min(values), statistics.median_low(values), max(values)


def repeated(images, others):
    """Count the images that are those of an earlier one, and those that are among others."""
    elsewhere = set(others)
    return {
        "duplicates": len(images) - len(set(images)),
        "shared": sum(image in elsewhere for image in images),
    }


@needs("mnist")
def test_mnist():
    sums = {checksum.file: checksum.digest for checksum in cards.all_cards()["seq-mnist"].checksums}
    files = {name: gzip.decompress((DATA / "mnist" / f"{name}.gz").read_bytes()) for name in sums}
    assert sums == {name: hashlib.md5(data).hexdigest() for name, data in files.items()}  # noqa: S324
    images = {
        split: [data[start : start + 784] for start in range(16, len(data), 784)]
        for split, data in (
            ("train", files["train-images-idx3-ubyte"]),
            ("test", files["t10k-images-idx3-ubyte"]),
        )
    }
    for split, other, prefix in (("train", "test", "train"), ("test", "train", "t10k")):
        labels = Counter(files[f"{prefix}-labels-idx1-ubyte"][8:])
        height, width = files[f"{prefix}-images-idx3-ubyte"][11::4][:2]
        assert counted("seq-mnist", split) == {
            "samples": len(images[split]),
            "classes": tuple(labels[digit] for digit in range(10)),
            "widths": (width,) * 3,
            "heights": (height,) * 3,
            **repeated(images[split], images[other]),
        }
    sample = (cards.all_cards()["seq-mnist"].path / "sample.txt").read_text()
    assert sample.strip().endswith(files["train-labels-idx1-ubyte"][:12].hex(" "))


@needs("iiit5k.tar")
def test_iiit5k():
    with tarfile.open(DATA / "iiit5k.tar") as archive:
        files = {
            member.name.removeprefix("iiit5k/"): archive.extractfile(member).read()
            for member in archive
            if member.isfile()
        }
    lexicon = files["lexicon.txt"].decode().splitlines()
    listed = {
        split: [row.split() for row in files[f"annotation_{split}.txt"].decode().splitlines()]
        for split in ("train", "test")
    }
    images = {
        split: [files[path.removeprefix("./")] for path, _ in rows]
        for split, rows in listed.items()
    }
    for split, other in (("train", "test"), ("test", "train")):
        labels = [lexicon[int(index)] for _, index in listed[split]]
        widths, heights = zip(*(Image.open(BytesIO(i)).size for i in images[split]), strict=True)
        assert counted("iiit5k", split) == {
            "samples": len(labels),
            "label_lengths": spread([len(label) for label in labels]),
            "distinct_labels": len(set(labels)),
            "charset": "".join(sorted(set("".join(labels)))),
            "widths": spread(widths),
            "heights": spread(heights),
            **repeated(images[split], images[other]),
        }
    sample = (cards.all_cards()["iiit5k"].path / "sample-raw.txt").read_text()
    assert sample in files["annotation_test.txt"].decode()

"""MNIST as it is distributed: four IDX files, in the folders of torchvision."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.core.regular_files import read_regular
from bench.data.raw.gzip_files import read_gzip
from bench.data.store import prepared
from bench.data.store.prepared import Prepared, PreparedPartition

if TYPE_CHECKING:
    from bench.core.types import Split
    from bench.data.reading.sequence_of_digits import Scans
    from bench.data.store.prepared import Advance

_FILES = {
    "train": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    },
    "test": {
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
}
"""The MD5 of each uncompressed file: images, then labels."""
MAX_BYTES = 2**28
"""The largest uncompressed file that is read: five times the size of MNIST."""
_IMAGES_MAGIC, _LABELS_MAGIC, _SIDE = 2051, 2049, 28
"""The magic numbers of IDX files of images and of labels, and the height and width of an image."""
_DIGITS = 10
_RAW = Path("MNIST", "raw")
_PADDING = 2


def prepare_mnist(source: Path, folder: Path, advance: Advance, *, synthetic: bool) -> Prepared:
    """Write the files of `source`, plain or gzip, to `folder` as torchvision expects them.

    Args:
        source: The folder with the IDX files.
        folder: The folder of the prepared data.
        advance: Called with the progress.
        synthetic: Whether the files are a synthetic data set, with other checksums than MNIST.

    Raises:
        BenchError: A file is missing, is not an IDX file of digits, or has a wrong checksum.
    """
    raw = folder / _RAW
    raw.mkdir(parents=True, exist_ok=True)
    parts = {}
    for part, files in _FILES.items():
        contents = {name: _content(source, name) for name in files}
        digests = {name: _md5(content) for name, content in contents.items()}
        for name, md5 in files.items():
            if not synthetic and digests[name] != md5:
                raise BenchError(
                    f"{source}: {name} is not the file of MNIST, whose MD5 is {md5}; get it again",
                    Exit.UNVERIFIED,
                )
        count, size = _count_digits(source, contents), sum(map(len, contents.values()))
        for name, content in contents.items():
            documents.write_bytes(raw / name, content)
        parts[part] = PreparedPartition(count, f"md5:{' '.join(digests.values())}", size, {})
        advance(part, count)
    document = Prepared(folder.name, "IDX", parts, bench.__version__)
    documents.write_bytes(folder / prepared.DOCUMENT, documents.encode(document))
    return document


def verify_mnist(folder: Path, advance: Advance) -> list[str]:
    """Return a sentence per file that is missing or was altered after it was prepared."""
    faults = []
    for part, document in prepared.require_prepared(folder.name).parts.items():
        digests = document.fingerprint.removeprefix("md5:").split()
        for name, md5 in zip(_FILES[part], digests, strict=True):
            file = folder / _RAW / name
            if not _is_intact(file, md5):
                faults.append(f"{file} is missing or altered; prepare {folder.name} again")
        advance(part, document.samples)
    return faults


def read_mnist(folder: Path) -> dict[Split, Scans]:
    """Read the scans of both splits, (S, 32, 32) with a margin of two pixels.

    Raises:
        BenchError: A file is missing, or was altered after it was prepared.
    """
    import numpy as np
    from torchvision.datasets import MNIST

    from bench.data.reading.sequence_of_digits import Scans

    if faults := verify_mnist(folder, lambda _part, _done: None):
        raise BenchError(faults[0], Exit.UNVERIFIED)
    scans: dict[Split, Scans] = {}
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        mnist = MNIST(str(folder), train=split == "train", download=False)
        margin = ((0, 0), (_PADDING,) * 2, (_PADDING,) * 2)
        images = np.pad(mnist.data.numpy(), margin)
        scans[split] = Scans(images, mnist.targets.numpy(), np.arange(len(images)))
    return scans


def _content(source: Path, name: str) -> bytes:
    """Return the uncompressed content of a file in `source` or in torchvision's folders in it."""
    for folder in (source, source / _RAW, source / "raw"):
        plain, packed = folder / name, folder / f"{name}.gz"
        if plain.exists():
            try:
                return read_regular(plain, MAX_BYTES)
            except OSError as error:
                raise BenchError(
                    f"{plain} cannot be read ({error.strerror}); get it again"
                ) from None
        if packed.exists():
            return read_gzip(packed, MAX_BYTES)
    raise BenchError(
        f"{source}: there is neither {name} nor {name}.gz, nor in {_RAW} below; name the folder of "
        "MNIST's IDX files with --source"
    )


def _count_digits(source: Path, contents: dict[str, bytes]) -> int:
    """Return the number of digits. Raises BenchError if files are invalid or differ in length."""
    (images_name, images), (labels_name, labels) = contents.items()
    count = int.from_bytes(images[4:8])
    header = b"".join(number.to_bytes(4) for number in (_IMAGES_MAGIC, count, _SIDE, _SIDE))
    if not count or images[:16] != header or len(images) != len(header) + count * _SIDE**2:
        raise BenchError(
            f"{source}: {images_name} is not an IDX file of images of {_SIDE} × {_SIDE} pixels; "
            "get it again"
        )
    header = _LABELS_MAGIC.to_bytes(4) + count.to_bytes(4)
    digits = labels.removeprefix(header)
    if not labels.startswith(header) or len(digits) != count or max(digits) >= _DIGITS:
        raise BenchError(
            f"{source}: {labels_name} is not an IDX file of {count:,} digits, as many as "
            f"{images_name} has images; get it again"
        )
    return count


def _is_intact(file: Path, md5: str) -> bool:
    try:
        return _md5(read_regular(file, MAX_BYTES)) == md5
    except OSError:
        return False


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()

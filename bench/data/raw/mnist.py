"""MNIST as it is distributed: four IDX files, in torchvision's layout."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.data.store import prepared
from bench.data.store.prepared import Part, Prepared

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
"""The MD5 of each file, uncompressed: images, then labels."""
_LABELS_HEADER = 8
"""Bytes of an IDX file of labels before the first one."""
_RAW = Path("MNIST", "raw")
_PADDING = 2


def prepare(source: Path, folder: Path, advance: Advance, *, synthetic: bool) -> Prepared:
    """Write the files of `source`, plain or gzip, into `folder` where torchvision looks for them.

    Raises BenchError where one is missing or, unless `synthetic`, is not the MNIST that everybody
    has.
    """
    raw = folder / _RAW
    raw.mkdir(parents=True, exist_ok=True)
    parts = {}
    for part, files in _FILES.items():
        contents = {name: _content(source, name) for name in files}
        found = {name: _md5(content) for name, content in contents.items()}
        for name, md5 in files.items():
            if not synthetic and found[name] != md5:
                raise BenchError(
                    f"{source}: {name} is not the file of MNIST, whose MD5 is {md5}; get it again",
                    Exit.UNVERIFIED,
                )
            documents.write_bytes(raw / name, contents[name])
        *_, labels = contents.values()
        count, size = len(labels) - _LABELS_HEADER, sum(map(len, contents.values()))
        parts[part] = Part(count, f"md5:{' '.join(found.values())}", size, {})
        advance(part, count)
    document = Prepared(folder.name, "IDX", parts, bench.__version__)
    documents.write_bytes(folder / prepared.DOCUMENT, documents.encode(document))
    return document


def verify(folder: Path, advance: Advance) -> list[str]:
    """Return which files are missing or altered since they were prepared, in sentences."""
    faults = []
    for part, document in prepared.require(folder.name).parts.items():
        noted = document.fingerprint.removeprefix("md5:").split()
        for name, md5 in zip(_FILES[part], noted, strict=True):
            file = folder / _RAW / name
            if not file.exists() or _md5(file.read_bytes()) != md5:
                faults.append(f"{file} is missing or altered; prepare {folder.name} again")
        advance(part, document.samples)
    return faults


def scans(folder: Path) -> dict[Split, Scans]:
    """Read all scans, (S, 32, 32) with a margin of two pixels.

    Raises BenchError where a file is missing or was altered.
    """
    import numpy as np
    from torchvision.datasets import MNIST

    from bench.data.reading.sequence_of_digits import Scans

    if faults := verify(folder, lambda _part, _done: None):
        raise BenchError(faults[0], Exit.UNVERIFIED)
    found: dict[Split, Scans] = {}
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        mnist = MNIST(str(folder), train=split == "train", download=False)
        margin = ((0, 0), (_PADDING,) * 2, (_PADDING,) * 2)
        images = np.pad(mnist.data.numpy(), margin)
        found[split] = Scans(images, mnist.targets.numpy(), np.arange(len(images)))
    return found


def _content(source: Path, name: str) -> bytes:
    """Return a file of `source` or of torchvision's folders in it, unpacked."""
    for folder in (source, source / _RAW, source / "raw"):
        plain, packed = folder / name, folder / f"{name}.gz"
        if plain.is_file():
            return plain.read_bytes()
        if packed.is_file():
            try:
                return gzip.decompress(packed.read_bytes())
            except (OSError, EOFError, zlib.error) as error:
                raise BenchError(f"{packed}: this is no gzip ({error}); get it again") from None
    raise BenchError(
        f"{source}: there is neither {name} nor {name}.gz, nor in {_RAW} below; name the folder of "
        "MNIST's IDX files with --source"
    )


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()

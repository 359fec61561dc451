"""Writing of the images of a batch to files, for programs that read files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.core.errors import BenchError
from bench.core.printable import quoted

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

ImageFormat = Literal["stored", "png", "bmp", "tif", "ppm", "pgm"]
"""The format of the files: the stored bytes unchanged, or a lossless format. `pgm` is gray."""

_MAGIC = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"BM": "bmp",
    b"GIF8": "gif",
    b"II*\0": "tif",
    b"MM\0*": "tif",
}


def write_images(samples: Sequence[EncodedSample], form: ImageFormat, folder: Path) -> list[Path]:
    """Write the images of a batch to files and return their paths.

    Images that are stored in the requested format are written unchanged; others are decoded and
    encoded without loss. The file names are numbers, because the ids of samples may contain their
    transcriptions.

    Args:
        samples: The samples of the batch.
        form: The format of the files.
        folder: The folder to write to.

    Raises:
        BenchError: An image cannot be decoded.
    """
    files = []
    for number, sample in enumerate(samples):
        suffix, content = _encoded(sample, form)
        file = folder / f"{number:06}.{suffix}"
        file.write_bytes(content)
        files.append(file)
    return files


def stored_form(content: bytes) -> str | None:
    """Return the file suffix of an encoded image; None for a rare format."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return next((form for magic, form in _MAGIC.items() if content.startswith(magic)), None)


def _encoded(sample: EncodedSample, form: ImageFormat) -> tuple[str, bytes]:
    content = sample.images[0]
    stored = stored_form(content)
    if stored is not None and form in {"stored", stored}:
        return stored, content
    import cv2
    import numpy as np

    suffix = "png" if form == "stored" else form
    channels = 1 if suffix == "pgm" else 3
    pixels = sample.pixels(channels)
    if channels > 1:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    done, encoded = cv2.imencode(f".{suffix}", pixels)
    if not done:
        raise BenchError(
            f"sample {quoted(sample.id)} cannot be written as {suffix}; set format = 'png'"
        )
    return suffix, encoded.tobytes()

"""Images of a batch as files, for programs that read files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.core.errors import BenchError
from bench.core.printable import quoted

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

Form = Literal["stored", "png", "bmp", "tif", "ppm", "pgm"]
"""What the files are: the stored bytes as they are, or an image without loss. `pgm` is gray."""

_MAGIC = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"BM": "bmp",
    b"GIF8": "gif",
    b"II*\0": "tif",
    b"MM\0*": "tif",
}


def write_images(samples: Sequence[EncodedSample], form: Form, folder: Path) -> list[Path]:
    """Write the images of a batch, named by their numbers, and return the files.

    The bytes are those of the data set where they have the form, so nothing is decoded; else they
    are decoded and written without loss. The names say nothing of the samples, whose ids may hold
    their transcripts.

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
    """Return the suffix of the files that have such content, None for a rare one."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return next((form for magic, form in _MAGIC.items() if content.startswith(magic)), None)


def _encoded(sample: EncodedSample, form: Form) -> tuple[str, bytes]:
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
        raise BenchError(f"sample {quoted(sample.id)} cannot be written as {suffix}; use png")
    return suffix, encoded.tobytes()

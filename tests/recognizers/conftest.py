"""Samples of a split, and recognizers that read them."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from bench.core.recognition import Workplace
from bench.data.reading.encoded_samples import EncodedSample


def encoded(shade: int, width: int = 12, form: str = "PNG") -> bytes:
    """Return an image of one gray, 8 pixels high."""
    import io

    stream = io.BytesIO()
    Image.fromarray(np.full((8, width, 3), shade, np.uint8)).save(stream, form)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _threads(one_thread):
    """Compute in one thread."""


@pytest.fixture
def samples() -> list[EncodedSample]:
    """Return five samples, with images of different widths: 10, 11, … pixels."""
    return [EncodedSample(f"test/{n}", (encoded(40 * n, 10 + n),)) for n in range(5)]


@pytest.fixture
def workplace(tmp_path) -> Workplace:
    return Workplace("cpu", 2, tmp_path / "cache")


@pytest.fixture
def reading(workplace):
    """Return a context manager that opens a recognizer and returns its reader."""

    @contextmanager
    def opened(recognizer, ids=()):
        with recognizer.open(workplace) as reader:
            reader.begin([*ids])
            yield reader

    return opened

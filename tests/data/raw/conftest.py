"""Small raw data sets, written by the tests that read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

Write = Callable[[Mapping[str, str | bytes]], Path]


def png(width: int, height: int, seed: int = 0) -> bytes:
    """Return an image that is unique to its seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files by their names into a folder of the test, and returns it.

    The folder lies deep enough that nothing above it is the test's.
    """
    root = tmp_path / "a" / "b" / "c" / "source"

    def write_all(files: Mapping[str, str | bytes]) -> Path:
        root.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write_all

"""Small raw data sets, prepared to a folder of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest
import torch

from bench.core.types import Batch, InputPipeline, Split
from bench.data.raw.entries import Entry, Rejected
from bench.data.reading.label_encoder import encoder_of_alphabet
from bench.data.reading.loading import read_batch
from bench.data.reading.pipeline import PreparedPipeline, Transform
from bench.data.reading.samples import Samples, Selection
from bench.data.store import data_dir as home
from bench.data.store import preparing
from bench.data.store.partition import Partition
from bench.data.store.prepared import Prepared, require_prepared
from bench.evaluation import protocols


def jpeg(seed: int, width: int = 60, height: int = 31) -> bytes:
    """Return an image that is unique to its seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (5, 5), 0))[1].tobytes()


@dataclass
class Listed:
    """A reader of samples of a test; `loaded` lists samples whose pixels were loaded."""

    samples: dict[str, list[Entry | Rejected]]
    columns: Sequence[str] = ()
    ready: Path | None = None
    loaded: list[str] = field(default_factory=list)

    @property
    def parts(self) -> list[str]:
        return list(self.samples)

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        yield from self.samples[part]

    def database(self, _part: str) -> Path | None:
        return self.ready

    def image(self, name: str, text: str, content: bytes | Callable[[], bytes]) -> Entry:
        """Return an entry of one image."""

        def load() -> tuple[bytes]:
            self.loaded.append(name)
            return (content if isinstance(content, bytes) else content(),)

        return Entry(name, text, load)


def listed(count: int = 10, parts: Sequence[str] = ("train", "test"), **more: object) -> Listed:
    """Return a reader of `count` images per part, of different widths."""
    layout = Listed({}, **more)
    for place, part in enumerate(parts):
        layout.samples[part] = [
            layout.image(f"{part}/{n}", f"Word{n}", jpeg(100 * place + n, 40 + 3 * n))
            for n in range(count)
        ]
    return layout


def altered(part: Path, name: bytes, content: bytes | None) -> None:
    """Change or remove a key of a prepared LMDB, which must not be open."""
    with lmdb.open(str(part), lock=False) as environment, environment.begin(write=True) as change:
        change.delete(name) if content is None else change.put(name, content)


def pipeline(
    transform: Transform, name: str = "words", alphabet: str = "str-36"
) -> PreparedPipeline:
    """Return the parts of prepared data as splits, with the label encoder of an alphabet."""
    parts = require_prepared(name).parts
    return PreparedPipeline(
        {part: Samples([Selection(Partition(name, part))]) for part in parts},
        encoder_of_alphabet(protocols.find_protocol(alphabet)),
        transform,
    )


def finished(pipeline: InputPipeline, split: Split, size: int, **drawn: int) -> list[Batch]:
    """Return the finished batches of an epoch."""
    batches = pipeline.batches(split, size, **drawn)
    return [read_batch(pipeline, batches, index) for index in range(len(batches))]


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches are equal, bit by bit."""
    return all(
        torch.equal(mine, its) if isinstance(mine, torch.Tensor) else mine == its
        for mine, its in zip(one, other, strict=True)
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of prepared data."""
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def prepare(folder: Path, tmp_path: Path) -> Callable[..., Prepared]:
    """A function that prepares the samples of a reader under a name."""

    def run(layout: Listed, name: str = "words", *, clips: bool = False) -> Prepared:
        return preparing.prepare(layout, tmp_path, folder / name, lambda *_: None, clips=clips)

    return run

"""Conversion of stored bytes to inputs: the same bits as a float32 reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput
from bench.core.types import SPLITS, EpochBatches
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.inputs import images
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.loading import BatchLoader, read_batch
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.store import data_dir as home
from bench.data.store.prepared import Prepared

from ..conftest import Listed, finished, jpeg, listed, pipeline, same

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
EARLIER: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "signed": lambda pixels: pixels.float().div_(127.5).sub_(1),
    "unit": lambda pixels: pixels.float().div_(255),
    "imagenet": lambda pixels: pixels.float().div_(255).sub_(MEAN).div_(STD),
}


@pytest.mark.parametrize("normalization", EARLIER)
@pytest.mark.parametrize("width", [0, 40])
def test_bytes_of_images_are_normalized_as_in_the_reference(
    prepare: Callable[..., Prepared], normalization: str, width: int
) -> None:
    prepare(listed(7, ["train"]))
    one = pipeline(ImageTransform(ImageInput(16, width, color=True, normalization=normalization)))
    batches = one.batches("train", 3)
    for index in range(len(batches)):
        stored, read = batches[index].inputs, read_batch(one, batches, index).inputs
        assert stored.dtype == torch.uint8
        assert torch.equal(read, EARLIER[normalization](stored))
        assert read.stride() == EARLIER[normalization](stored).stride()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(SPLITS),
    st.integers(1, 4),
    st.integers(1, 40),
    st.sampled_from([(0, 0), (0, 6), (12, 0), (12, 8), (8, 0)]),
    st.sampled_from(["signed", "unit"]),
)
def test_digits_are_composed_as_in_the_reference(
    split: str, digits: int, count: int, size: tuple[int, int], normalization: str
) -> None:
    data = SeqDigits(digits=digits, rounds=1)
    model_input = FrameInput(*size, normalization)
    one = data.open(model_input, data.label_encoder(None))
    scans, weights = one.splits[split], torch.from_numpy(one.scheme.weights())
    batch = finished(one, split, count, seed=1, epoch=2)[0]
    numbers = [[int(number) for number in name.split("-")] for name in batch.ids]
    groups = np.searchsorted(scans.numbers, numbers)
    shown = np.array([[earlier_scan(scan, *size) for scan in row] for row in scans.images[groups]])
    values = torch.from_numpy(shown).float() / scans.full
    frames = torch.einsum("tu,nuhw->nthw", weights, values).unsqueeze(2)
    wanted = frames if normalization == "unit" else frames.mul_(2).sub_(1)
    assert torch.equal(batch.inputs, wanted)
    assert batch.inputs.stride() == wanted.stride()
    assert one.batches(split, count)[0].inputs.dtype == torch.uint8


def earlier_scan(scan: np.ndarray, size: int, crop: int) -> np.ndarray:
    scan = images.resize_pixels(scan, size, size) if size else scan
    if crop:
        margin = (len(scan) - crop) // 2
        scan = scan[margin : margin + crop, margin : margin + crop]
    return scan


@pytest.fixture
def words(prepare: Callable[..., Prepared]) -> Path:
    """The partition of ten words in train; test has ten too."""
    layout = Listed({"train": [], "test": []})
    for part, several in layout.samples.items():
        several += [layout.image(f"{part}{n}", f"Word{n}", jpeg(n, 40 + 30 * n)) for n in range(10)]
    prepare(layout)
    return home.data_folder() / "words" / "train"


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "model_input",
    [ImageInput(), ImageInput(16, 60, color=True, keep_ratio=True)],
    ids=["stretched", "ratios kept"],
)
def test_the_images_of_a_small_split_are_decoded_once(
    words: Path, monkeypatch: pytest.MonkeyPatch, model_input: ImageInput, workers: int
) -> None:
    def passes(one: PreparedPipeline) -> list[EpochBatches]:
        return [one.batches("train", 4, seed=3, epoch=epoch) for epoch in range(3)]

    with monkeypatch.context() as patch:
        patch.setattr("bench.data.reading.shared_image_cache.MAX_BYTES", 0)
        wanted = [[*batches] for batches in passes(pipeline(ImageTransform(model_input)))]
    one = pipeline(ImageTransform(model_input))
    with BatchLoader(one, workers, "cpu") as loader:
        for number, batches in enumerate(passes(one)):
            for index, batch in enumerate(loader.read(batches)):
                stored = wanted[number][index]
                assert same(batch, stored._replace(inputs=one.finish(stored.inputs)))
                assert batch.inputs.stride() == stored.inputs.stride()
            # Later epochs cannot decode, because the images are gone.
            (words / "data.mdb").unlink(missing_ok=True)
            close_databases(one)
    assert all(map(same, passes(one)[1], wanted[1]))


def test_images_read_once_and_large_splits_are_not_cached(
    words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pipeline(ImageTransform(ImageInput()))
    list(one.batches("test", 4))
    monkeypatch.setattr("bench.data.reading.shared_image_cache.MAX_BYTES", 10 * 32 * 100 - 1)
    list(one.batches("train", 4))
    close_databases(one)
    for folder in (words, words.parent / "test"):
        (folder / "data.mdb").unlink()
    for split in ("train", "test"):
        with pytest.raises(BenchError, match=r"not an LMDB|does not exist"):
            list(one.batches(split, 4))


def close_databases(one: PreparedPipeline) -> None:
    for split in ("train", "test"):
        partition = one.splits[split].selections[0].partition
        if partition.database:
            partition.database.close()

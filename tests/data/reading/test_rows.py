"""The rows of all ranks, concatenated, are the batch of one device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.model_input import FrameInput, ImageInput
from bench.core.types import Batch, InputPipeline
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.inputs.clip_transform import ClipTransform
from bench.data.inputs.image_transform import ImageTransform
from bench.data.raw.entries import Entry
from bench.data.reading.loading import read_batch
from bench.data.reading.ranks import rank_rows
from bench.data.store import data_dir as home
from bench.data.store import preparing

from ..conftest import Listed, jpeg, listed, pipeline, same

NAMES = ("words", "lines", "kept ratios", "clips", "augmented clips", "digits")


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, InputPipeline]]:
    root = tmp_path_factory.mktemp("rows")

    def clip(number: int) -> Entry:
        frames = [jpeg(40 * number + frame, 14, 12) for frame in range(33 + 3 * number)]
        return Entry(f"clip{number}", "A B C"[: 2 * (number % 3) + 1], lambda: frames)

    images = listed(11, ["train"])
    images.samples["train"] = images.samples["train"][::2] + images.samples["train"][1::2]
    clips = Listed({"train": [clip(number) for number in range(5)]})
    sizes = FrameInput(12, 8)
    digits = SeqDigits(digits=2, rounds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(home.VARIABLE, str(root))
        preparing.prepare(images, root, root / "words", lambda *_: None, clips=False)
        preparing.prepare(clips, root, root / "clips", lambda *_: None, clips=True)
        drawn = SignLanguage()
        yield {
            "words": pipeline(ImageTransform(ImageInput())),
            "lines": pipeline(ImageTransform(ImageInput(16, 0, color=True, margin=(2, 3)))),
            "kept ratios": pipeline(ImageTransform(ImageInput(16, 64, keep_ratio=True))),
            "clips": pipeline(ClipTransform(sizes, (12, 14)), "clips"),
            "augmented clips": pipeline(ClipTransform(sizes, (12, 14), drawn), "clips"),
            "digits": digits.open(FrameInput(), digits.label_encoder(None)),
        }


def joined(batches: list[Batch]) -> Batch:
    """Return the concatenated rows of several batches."""
    return Batch._make(
        torch.cat(values) if isinstance(values[0], torch.Tensor) else sum(values, ())
        for values in zip(*batches, strict=True)
    )


@settings(max_examples=60)
@given(
    st.sampled_from(NAMES), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3), st.integers(0)
)
def test_the_rows_of_all_ranks_are_the_batch(
    pipelines: dict[str, InputPipeline], name: str, size: int, ranks: int, epoch: int, chosen: int
) -> None:
    one = pipelines[name]
    batches = one.batches("train", size, seed=1, epoch=epoch)
    several = [batches.rows(rank, ranks) for rank in range(ranks)]
    index = chosen % len(batches)
    wanted = batches[index]
    parts = [each[index] for each in several]
    assert all(len(each) == len(batches) for each in several)
    assert {each.samples(index) for each in several} == {len(wanted.ids)}
    if len(wanted.ids) < ranks:
        assert all(same(part, wanted) for part in parts)
        return
    assert same(joined(parts), wanted)
    # The memory layout decides the kernels, which decide the last bits.
    layouts = {part.inputs.stride() for part in parts if len(part.ids) > 1}
    assert layouts <= {wanted.inputs.stride()}
    finished = joined([read_batch(one, each, index) for each in several])
    assert torch.equal(finished.inputs, read_batch(one, batches, index).inputs)


@given(st.integers(0, 100), st.integers(1, 20))
def test_rows_of_ranks_are_contiguous_blocks_of_similar_size(count: int, ranks: int) -> None:
    blocks = [rank_rows(count, rank, ranks) for rank in range(ranks)]
    if count < ranks:
        assert blocks == ranks * [slice(0, count)]
        return
    assert [row for each in blocks for row in range(count)[each]] == [*range(count)]
    sizes = [each.stop - each.start for each in blocks]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) - min(sizes) <= 1

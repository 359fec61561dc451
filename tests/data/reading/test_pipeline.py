"""Prepared data through one transform: the samples of an epoch, and what its batches depend on."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.core.model_input import ImageInput
from bench.core.types import Batch, EpochBatches, InputShape
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.store import data_dir as home
from bench.data.store import preparing
from bench.data.store.prepared import Prepared

from ..conftest import Listed, jpeg, listed, pipeline, same

COUNT = 23
INPUTS = {
    "words": ImageInput(),
    "lines": ImageInput(height=16, width=0, margin=(2, 4), normalization="unit"),
}
STATUS = Path("/proc/self/status")

names = st.sampled_from(list(INPUTS))
splits = st.sampled_from(["train", "test"])
sizes = st.integers(1, COUNT + 3)
seeds = st.integers(0, 5)


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, PreparedPipeline]]:
    root = tmp_path_factory.mktemp("source")
    layout = listed(COUNT)
    for part, several in layout.samples.items():
        layout.samples[part] = several[::2] + several[1::2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(home.VARIABLE, str(root))
        preparing.prepare(layout, root, root / "words", lambda *_: None, clips=False)
        yield {name: pipeline(ImageTransform(each)) for name, each in INPUTS.items()}


def read(batches: EpochBatches) -> list[Batch]:
    return [batches[index] for index in range(len(batches))]


def ids(batches: EpochBatches) -> list[str]:
    return [name for batch in read(batches) for name in batch.ids]


def training_order(pipeline: PreparedPipeline, size: int, seed: int, epoch: int) -> list[str]:
    """Return the ids of an epoch; torch's global generator is in any state."""
    torch.manual_seed(random.getrandbits(32))
    return ids(pipeline.batches("train", size, seed=seed, epoch=epoch))


SOME = settings(max_examples=15)


@SOME
@given(names, splits, sizes, seeds, seeds)
def test_an_epoch_has_each_annotated_sample_once(
    pipelines: dict[str, PreparedPipeline], name: str, split: str, size: int, seed: int, epoch: int
) -> None:
    annotations = {truth.id: truth for truth in pipelines[name].annotations(split)}
    assert len(annotations) == COUNT
    batches = pipelines[name].batches(split, size, seed=seed, epoch=epoch)
    assert len(batches) == -(-COUNT // size)
    for batch in read(batches):
        for row, identity in enumerate(batch.ids):
            truth, labels = annotations.pop(identity), batch.target_lengths[row]
            assert batch.lengths[row] == truth.length
            assert tuple(batch.targets[row, :labels].tolist()) == truth.target
            assert not batch.targets[row, labels:].any()
            assert identity.partition("/")[2] == batch.texts[row].removeprefix("Word")
        assert batch.inputs.dtype == torch.uint8
        assert batch.targets.dtype == batch.lengths.dtype == torch.int64
        assert batch.target_lengths.max() == batch.targets.shape[1]
        assert (batch.key_frames == -1).all()
        assert batch.key_frames.shape == batch.targets.shape
    assert not annotations


@SOME
@given(names, splits, st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_batch_is_the_same_whatever_was_read_before_it(
    pipelines: dict[str, PreparedPipeline], name: str, split: str, size: int, chance: random.Random
) -> None:
    batches = pipelines[name].batches(split, size, seed=3, epoch=2)
    wanted = read(batches)
    sent = pickle.loads(pickle.dumps(batches))  # noqa: S301 (made here)
    order = chance.sample(range(len(wanted)), len(wanted))
    assert all(same(sent[index], wanted[index]) for index in order)


@SOME
@given(names, sizes, seeds, seeds)
def test_the_order_of_train_depends_only_on_seed_and_epoch(
    pipelines: dict[str, PreparedPipeline], name: str, size: int, seed: int, epoch: int
) -> None:
    first, second = (training_order(pipelines[name], size, seed, epoch) for _ in range(2))
    assert first == second


@SOME
@given(names, sizes, seeds, seeds)
def test_other_seeds_and_epochs_give_other_orders_of_train(
    pipelines: dict[str, PreparedPipeline], name: str, size: int, seed: int, epoch: int
) -> None:
    # With all samples sorted by length, only the order of batches is random.
    assume(name == "words" or size < 3)
    order = training_order(pipelines[name], size, seed, epoch)
    assert order != training_order(pipelines[name], size, seed, epoch + 1)
    assert order != training_order(pipelines[name], size, seed + 1, epoch)


@SOME
@given(names, sizes, seeds, seeds)
def test_the_order_of_test_depends_only_on_lengths(
    pipelines: dict[str, PreparedPipeline], name: str, size: int, seed: int, epoch: int
) -> None:
    found = ids(pipelines[name].batches("test", size, seed=seed, epoch=epoch))
    annotations = list(pipelines[name].annotations("test"))
    wanted = sorted(annotations, key=lambda truth: truth.length)
    assert found == [truth.id for truth in wanted]
    assert name == "lines" or wanted == annotations


@SOME
@given(splits, st.integers(1, COUNT), seeds)
def test_samples_of_similar_lengths_share_a_batch(
    pipelines: dict[str, PreparedPipeline], split: str, size: int, seed: int
) -> None:
    batches = read(pipelines["lines"].batches(split, size, seed=seed))
    padded = sum(batch.inputs.shape[3] * len(batch.ids) - batch.lengths.sum() for batch in batches)
    lengths = [truth.length for truth in pipelines["lines"].annotations(split)]
    assert padded <= size * (max(lengths) - min(lengths))
    assert all(batch.inputs.shape[3] == batch.lengths.max() for batch in batches)


def test_pools_stay_mostly_shuffled_and_need_little_padding(
    pipelines: dict[str, PreparedPipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.data.reading.pipeline._POOL_BATCHES", 2)
    batches = read(pipelines["lines"].batches("train", 3))
    assert len(batches) == 8
    assert sorted(name for batch in batches for name in batch.ids) == sorted(
        truth.id for truth in pipelines["lines"].annotations("train")
    )
    longest = [int(batch.lengths.max()) for batch in batches]
    assert longest != sorted(longest)


def test_lengths_are_those_of_the_transform(pipelines: dict[str, PreparedPipeline]) -> None:
    for one in pipelines.values():
        wanted = one.transform.lengths(one.splits["test"]).tolist()
        assert [truth.length for truth in one.annotations("test")] == wanted


def test_an_epoch_ends_with_an_index_error(pipelines: dict[str, PreparedPipeline]) -> None:
    batches = pipelines["words"].batches("train", 5)
    assert len(list(batches)) == len(batches) == 5
    with pytest.raises(IndexError):
        batches[5]


def test_transcripts_are_complete_where_targets_are_not(prepare: Callable[..., Prepared]) -> None:
    layout = Listed({"train": []})
    texts = ["Don't", "§§", "Straße", "ﬁn"]
    layout.samples["train"] = [layout.image(text, text, jpeg(0)) for text in texts]
    prepare(layout)
    one = pipeline(ImageTransform(INPUTS["words"]))
    [batch] = read(one.batches("train", 9))
    assert sorted(batch.texts) == sorted(texts)
    found = {
        text: "".join(one.vocabulary[label - 1] for label in target[:length])
        for text, target, length in zip(
            batch.texts, batch.targets.tolist(), batch.target_lengths.tolist(), strict=True
        )
    }
    assert found == {"Don't": "dont", "§§": "", "Straße": "strae", "ﬁn": "fin"}


def test_a_batch_without_labels_has_targets_of_width_0(prepare: Callable[..., Prepared]) -> None:
    layout = Listed({"train": []})
    layout.samples["train"] = [layout.image(str(n), "—", jpeg(n)) for n in range(3)]
    prepare(layout)
    batch = pipeline(ImageTransform(INPUTS["words"])).batches("train", 3)[0]
    assert batch.targets.shape == (3, 0)
    assert batch.targets.dtype == torch.int64
    assert batch.target_lengths.tolist() == [0, 0, 0]


def test_classes_and_shape_are_those_of_alphabet_and_input(
    pipelines: dict[str, PreparedPipeline],
) -> None:
    assert len(pipelines["words"].vocabulary) == 36
    assert pipelines["words"].input_shape == InputShape(1, 32, 100)
    assert pipelines["lines"].input_shape == InputShape(1, 16, 0)


def anonymous() -> int:
    """Return the anonymous memory of this process in bytes."""
    return 1024 * int(STATUS.read_text(encoding="ascii").partition("RssAnon:")[2].split()[0])


@pytest.mark.skipif(not STATUS.exists(), reason="Linux tells a process what it holds")
def test_memory_does_not_grow_with_epochs(pipelines: dict[str, PreparedPipeline]) -> None:
    def passes(epochs: range) -> int:
        for epoch in epochs:
            for batch in read(pipelines["words"].batches("train", 4, epoch=epoch)):
                assert np.isfinite(batch.inputs.numpy()).all()
        return anonymous()

    before = passes(range(4))
    # The batches of these epochs would be 12 MB if they were kept.
    assert passes(range(4, 44)) - before < 3 * 2**20

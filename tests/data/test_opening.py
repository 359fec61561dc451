"""Data sets opened for training and for tests, alone and combined."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput
from bench.core.types import InputPipeline
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.datasets.phoenix14 import Phoenix14, Phoenix14T
from bench.data.datasets.scene_text_tests import IIIT5K, SVT
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.datasets.synth90k import Synth90k
from bench.data.inputs import images
from bench.data.opening import open_test, open_training, training_encoder
from bench.data.raw.entries import Entry
from bench.data.store.prepared import Prepared
from bench.evaluation import protocols

from .conftest import Listed, listed, same

Prepare = Callable[..., Prepared]
WORDS = ImageInput()
CLIPS = FrameInput(16, 12)
UNIT = FrameInput(normalization="unit")


@pytest.fixture
def words(prepare: Prepare) -> None:
    prepare(listed(24, ["train", "validation", "test"]), "synth90k")
    prepare(listed(6, ["test"]), "svt")
    prepare(listed(30, ["train", "test"]), "iiit5k")


def clip(text: str, number: int, side: int = 20) -> Entry:
    def load() -> list[bytes]:
        pixels = np.random.default_rng(number).integers(0, 256, (5, side, side, 3), np.uint8)
        return [images.encode_jpeg(frame) for frame in pixels]

    return Entry(f"clip{number}", text, load)


@pytest.fixture
def clips(prepare: Prepare) -> None:
    for name, glosses in (("phoenix14", "NORD REGEN"), ("phoenix14-t", "REGEN SUED")):
        parts = {part: [clip(glosses, n) for n in range(3)] for part in ("train", "test")}
        prepare(Listed(parts | {"validation": [clip("WOLKE", 9)]}), name, clips=True)


def opened(*datasets: object) -> InputPipeline:
    return open_training(datasets, WORDS, training_encoder(datasets))


def ids(pipeline: InputPipeline, split: str) -> list[str]:
    return [annotation.id for annotation in pipeline.annotations(split)]


def test_a_tenth_of_training_is_held_out_without_a_validation_split(words: None) -> None:
    pipeline = opened(IIIT5K())
    drawn = [f"train/{n}" for n in range(30) if zlib.crc32(f"train/{n}".encode()) % 10 == 0]
    assert ids(pipeline, "validation") == drawn
    assert 0 < len(drawn) < 10
    assert ids(pipeline, "train") == [
        name for n in range(30) if (name := f"train/{n}") not in drawn
    ]


def test_several_sets_are_trained_on_together(words: None) -> None:
    both, one, other = opened(Synth90k(), IIIT5K()), opened(Synth90k()), opened(IIIT5K())
    for split in ("train", "validation"):
        assert ids(both, split) == ids(one, split) + ids(other, split)
    batches = both.batches("train", 8)
    texts = [text for index in range(len(batches)) for text in batches[index].texts]
    assert len(texts) == len(ids(both, "train"))


def test_a_test_set_is_read_with_any_alphabet(words: None) -> None:
    for alphabet, lengths in (("str-36", 5), ("digits", 1)):
        encoder = training_encoder([Synth90k()], protocols.find_protocol(alphabet))
        batch = open_test(SVT(), WORDS, encoder).batches("test", 6)[0]
        assert sorted(batch.texts) == [f"Word{n}" for n in range(6)]
        assert batch.target_lengths.tolist() == [lengths] * 6


@pytest.mark.parametrize(
    "model_input",
    [ImageInput(32, 0), ImageInput(32, 128, color=True, normalization="imagenet")],
    ids=["as wide as they are", "color"],
)
def test_one_data_set_can_be_read_in_every_input(words: None, model_input: ImageInput) -> None:
    pipeline = open_test(SVT(), model_input, training_encoder([SVT()]))
    batch = pipeline.batches("test", 6)[0]
    assert batch.inputs.shape[1:3] == (model_input.channels, 32)
    assert pipeline.input_shape.width == model_input.width


def test_data_sets_that_cannot_be_trained_on_are_refused(words: None, clips: None) -> None:
    encoder = training_encoder([Synth90k()])
    with pytest.raises(BenchError, match="'svt' has no split 'train', only test; train on another"):
        open_training([Synth90k(), SVT()], WORDS, encoder)
    with pytest.raises(BenchError, match=r"'synth90k' gives image, but the input .* is for frames"):
        open_training([Synth90k()], CLIPS, encoder)
    with pytest.raises(BenchError, match="'sign-language' is for frames and cannot be applied"):
        open_training([Synth90k()], WORDS, encoder, SignLanguage())
    with pytest.raises(BenchError, match=r"'phoenix14' has glosses as labels.*remove alphabet"):
        training_encoder([Phoenix14()], protocols.find_protocol("str-36"))


def test_glosses_of_several_sets_are_learned_together(clips: None) -> None:
    datasets = [Phoenix14(), Phoenix14T()]
    encoder = training_encoder(datasets)
    assert encoder.vocabulary == ("NORD", "REGEN", "SUED", "WOLKE")
    pipeline = open_training(datasets, CLIPS, encoder)
    assert len(ids(pipeline, "train")) == 6
    assert pipeline.batches("train", 6)[0].inputs.shape == (6, 5, 3, 12, 12)


def test_only_training_is_augmented_and_only_if_requested(clips: None) -> None:
    encoder = training_encoder([Phoenix14()])
    plain = open_training([Phoenix14()], CLIPS, encoder)
    drawn = open_training([Phoenix14()], CLIPS, encoder, SignLanguage())
    assert same(plain.batches("validation", 1)[0], drawn.batches("validation", 1)[0])
    assert not same(plain.batches("train", 3)[0], drawn.batches("train", 3)[0])
    # Without augmentation, only the order of a training epoch is random.
    first, second = (plain.batches("train", 3, epoch=epoch)[0] for epoch in (0, 1))
    order = [second.ids.index(name) for name in first.ids]
    assert torch.equal(first.inputs, second.inputs[order])


def test_clips_of_several_sizes_need_a_size(prepare: Prepare) -> None:
    prepare(Listed({"test": [clip("A", 0), clip("A", 1, 24)]}), "phoenix14", clips=True)
    encoder = Phoenix14().label_encoder(None)
    with pytest.raises(BenchError, match=r"frames of 20 to 24 rows.*set the size of the input"):
        open_test(Phoenix14(), UNIT, encoder)
    assert open_test(Phoenix14(), CLIPS, encoder).input_shape == (3, 12, 12)


def test_frames_are_not_scaled_without_a_size(clips: None) -> None:
    encoder = training_encoder([Phoenix14()])
    assert open_test(Phoenix14(), UNIT, encoder).input_shape == (3, 20, 20)
    with pytest.raises(BenchError, match="crop = 21 is larger than the frames, which are 20×20"):
        open_test(Phoenix14(), FrameInput(crop=21), encoder)


def test_sequences_of_digits_are_trained_on_alone() -> None:
    digits = SeqDigits(digits=2)
    encoder = training_encoder([digits])
    assert open_training([digits], UNIT, encoder).vocabulary == tuple("0123456789")
    with pytest.raises(BenchError, match=r"'seq-digits\(digits=2\)' composes.*train on it alone"):
        open_training([digits, digits], UNIT, encoder)
    with pytest.raises(BenchError, match=r"'seq-digits.*cannot be augmented by 'sign-language'"):
        open_training([digits], UNIT, encoder, SignLanguage())

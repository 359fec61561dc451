from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput
from bench.core.types import InputShape
from bench.data.inputs import images
from bench.data.reading.label_encoder import encoder_of_alphabet
from bench.data.reading.sequence_of_digits import Scans, Scheme, SequenceOfDigits
from bench.evaluation import protocols

from ..conftest import finished

SHORT = Scheme(4, (0.3, 0.5, 0.7), 2)
LONG = Scheme(4, tuple(tenth / 10 for tenth in range(1, 10)), 5)


def test_weights_of_the_short_scheme():
    expected = [
        [0.3, 0, 0, 0],
        [0.5, 0, 0, 0],
        [1, 0, 0, 0],
        [0.7, 0.3, 0, 0],
        [0.5, 0.5, 0, 0],
        [0.3, 0.7, 0, 0],
        [0, 1, 0, 0],
        [0, 0.7, 0.3, 0],
        [0, 0.5, 0.5, 0],
        [0, 0.3, 0.7, 0],
        [0, 0, 1, 0],
        [0, 0, 0.7, 0.3],
        [0, 0, 0.5, 0.5],
        [0, 0, 0.3, 0.7],
        [0, 0, 0, 1],
        [0, 0, 0, 0.5],
        [0, 0, 0, 0.3],
    ]
    assert SHORT.key_frames().tolist() == [2, 6, 10, 14]
    assert SHORT.weights().shape == (17, 4)
    assert SHORT.weights().dtype == np.float32
    np.testing.assert_allclose(SHORT.weights(), expected, atol=1e-6)


def test_weights_of_the_long_scheme():
    weights = LONG.weights()
    rising = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert weights.shape == (41, 4)
    assert LONG.key_frames().tolist() == [5, 15, 25, 35]
    np.testing.assert_allclose(weights[:5, 0], rising, atol=1e-6)
    np.testing.assert_allclose(weights[36:, 3], rising[::-1], atol=1e-6)
    assert not weights[:5, 1:].any()
    assert not weights[36:, :3].any()
    np.testing.assert_allclose(weights[16:25, 2], LONG.ramp, atol=1e-6)


@st.composite
def schemes(draw):
    ramp = tuple(draw(st.lists(st.floats(0, 1, width=32), max_size=5)))
    return Scheme(draw(st.integers(1, 6)), ramp, draw(st.integers(0, len(ramp))))


@settings(max_examples=100)
@given(st.one_of(st.just(SHORT), st.just(LONG), schemes()))
def test_weights_fade_from_one_digit_to_the_next(scheme):
    weights, keys, ends = scheme.weights(), scheme.key_frames(), scheme.end_frames
    between = (scheme.digits - 1) * len(scheme.ramp)
    assert weights.shape == (scheme.digits + between + 2 * ends, scheme.digits)
    np.testing.assert_array_equal(weights[keys], np.eye(scheme.digits))
    np.testing.assert_allclose(weights[keys[0] : keys[-1] + 1].sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(weights[:ends], weights[len(weights) - ends :][::-1, ::-1])
    assert ((weights >= 0) & (weights <= 1)).all()
    assert ((weights > 0).sum(1) <= 2).all()


def scans(count, first=0):
    numbers = np.arange(first, first + count)
    images = np.random.default_rng(first).integers(0, 256, (count, 3, 2), np.uint8)
    return Scans(images, numbers % 10, numbers)


UNIT = FrameInput(normalization="unit")


def composed(splits, model_input=UNIT, alphabet="digits", **options):
    encoder = encoder_of_alphabet(protocols.find_protocol(alphabet))
    return SequenceOfDigits(splits, SHORT, model_input, encoder, **options)


def source(*, redraws=True, rounds=3):
    splits = {"train": scans(14), "validation": scans(9, 100), "test": scans(8, 200)}
    return composed(splits, rounds=rounds, redraws=redraws)


def sequences(given_source, split, **drawn):
    return [name for batch in given_source.batches(split, 4, **drawn) for name in batch.ids]


def test_source_describes_its_clips():
    assert source().input_shape == InputShape(1, 3, 2)
    assert source().vocabulary == tuple("0123456789")


def test_batches_are_as_their_contract_says():
    drawn = finished(source(), "train", 4)
    assert [len(batch.ids) for batch in drawn] == [4, 4, 1]
    assert len(source().batches("train", 4)) == 3
    for batch in drawn:
        count = len(batch.ids)
        assert batch.inputs.shape == (count, 17, 1, 3, 2)
        assert batch.inputs.dtype == torch.float32
        integers = (batch.lengths, batch.targets, batch.target_lengths, batch.key_frames)
        assert all(tensor.dtype == torch.int64 for tensor in integers)
        assert batch.lengths.tolist() == [17] * count
        assert batch.target_lengths.tolist() == [4] * count
        assert batch.key_frames.tolist() == [[2, 6, 10, 14]] * count


def test_clips_are_weighted_sums_of_their_scans():
    for split, given_scans in source().splits.items():
        first = given_scans.numbers[0]
        for batch in finished(source(), split, 3):
            for n, name in enumerate(batch.ids):
                chosen = [int(number) - first for number in name.split("-")]
                images = given_scans.images[chosen] / given_scans.full
                expected = sum(
                    weights[:, None, None] * image
                    for weights, image in zip(SHORT.weights().T, images, strict=True)
                )
                np.testing.assert_allclose(batch.inputs[n, :, 0], expected, atol=1e-6)
                keys = batch.inputs[n, batch.key_frames[n], 0]
                np.testing.assert_allclose(keys, images, atol=1e-6)
                assert batch.targets[n].tolist() == (given_scans.labels[chosen] + 1).tolist()


@pytest.mark.parametrize(("split", "left_over"), [("train", 2), ("validation", 1), ("test", 0)])
def test_every_scan_is_used_once_per_round_except_the_remainder(split, left_over):
    drawn = sequences(source(), split)
    count = len(source().splits[split].labels)
    served = Counter(number for name in drawn for number in name.split("-"))
    assert len(drawn) == 3 * (count // 4)
    assert max(served.values()) <= 3
    assert sum(3 - served[str(number)] for number in source().splits[split].numbers) == (
        3 * left_over
    )
    assert all(len(set(name.split("-"))) == 4 for name in drawn)


def test_an_epoch_can_be_read_again():
    batches = source().batches("train", 4, seed=3, epoch=2)
    one, two = list(batches), list(batches)
    assert [batch.ids for batch in one] == [batch.ids for batch in two]
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(one, two, strict=True))


def test_a_batch_is_the_same_each_time_it_is_indexed():
    batches = source().batches("train", 4, seed=3, epoch=2)
    for index, batch in reversed(list(enumerate(batches))):
        again = batches[index]
        assert again.ids == batch.ids
        assert torch.equal(again.inputs, batch.inputs)
    for beyond in (len(batches), -1):
        with pytest.raises(IndexError):
            batches[beyond]


def test_redrawn_training_has_other_clips_for_each_seed_and_epoch():
    draws = [
        sequences(source(), "train", seed=seed, epoch=epoch)
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (0, 0)]
    ]
    assert draws[0] == draws[3]
    assert len({frozenset(draw) for draw in draws}) == 3


def test_training_that_is_not_redrawn_changes_only_the_order():
    fixed = source(redraws=False)
    draws = [
        sequences(fixed, "train", seed=seed, epoch=epoch)
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (0, 0)]
    ]
    assert draws[0] == draws[3]
    assert len({frozenset(draw) for draw in draws}) == 1
    assert len({tuple(draw) for draw in draws}) == 3


@pytest.mark.parametrize("redraws", [True, False])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_other_splits_never_change(split, redraws):
    one = sequences(source(redraws=redraws), split)
    assert one == sequences(source(redraws=redraws), split, seed=5, epoch=7)


def test_separate_weights_replace_those_of_the_ramp():
    weights = Scheme(2, (0.0, 0.4), 2, fall=(0.8, 0.1), ends=(0.3, 0.9, 1.0)).weights()
    expected = [[0.3, 0], [0.9, 0], [1, 0], [0.8, 0], [0.1, 0.4], [0, 1], [0, 0.9], [0, 0.3]]
    np.testing.assert_allclose(weights, expected)


def test_scans_that_are_not_shuffled_are_grouped_in_order():
    splits = {"train": scans(14), "validation": scans(9, 100), "test": scans(8, 200)}
    made = composed(splits, rounds=1, redraws=False, shuffled=False)
    assert [each.id for each in made.annotations("train")] == ["0-1-2-3", "4-5-6-7", "8-9-10-11"]
    assert sorted(sequences(made, "train", seed=3)) == ["0-1-2-3", "4-5-6-7", "8-9-10-11"]


ALL_SPLITS = {"train": scans(14), "validation": scans(9, 100), "test": scans(8, 200)}
PLAIN = {"rounds": 1, "redraws": False}


def test_transcripts_are_the_digits_whatever_the_alphabet():
    [digits] = composed(ALL_SPLITS, **PLAIN).batches("test", 9)
    [letters] = composed(ALL_SPLITS, alphabet="str-36", **PLAIN).batches("test", 9)
    assert digits.texts == letters.texts
    assert [list(map(int, text)) for text in digits.texts] == (digits.targets - 1).tolist()
    thesis = encoder_of_alphabet(protocols.find_protocol("htr-thesis"))
    other = SequenceOfDigits(ALL_SPLITS, SHORT, FrameInput(), thesis, **PLAIN).batches("test", 9)[0]
    read = ["".join(thesis.vocabulary[c - 1] for c in row) for row in other.targets]
    assert tuple(read) == other.texts


def test_frames_are_scaled_cropped_and_normalized_by_the_input():
    unit, signed = (
        finished(composed(ALL_SPLITS, each, **PLAIN), "test", 3)[0] for each in (UNIT, FrameInput())
    )
    torch.testing.assert_close(signed.inputs, 2 * unit.inputs - 1)
    large = composed(ALL_SPLITS, FrameInput(12, 8, "unit"), **PLAIN)
    assert large.input_shape == InputShape(1, 8, 8)
    [batch] = finished(large, "test", 3)
    assert batch.inputs.shape == (2, 17, 1, 8, 8)
    first = int(batch.ids[0].split("-")[0]) - 200
    scan = images.resize_pixels(ALL_SPLITS["test"].images[first], 12, 12)[2:10, 2:10]
    np.testing.assert_allclose(batch.inputs[0, 2, 0], scan / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("model_input", "alphabet", "message"),
    [
        (ImageInput(), "digits", "the input is of images"),
        (FrameInput(normalization="imagenet"), "digits", "set it to 'signed' or 'unit'"),
        (FrameInput(crop=3), "digits", "crop = 3 is larger than the frames"),
        (FrameInput(), "letters", "no class for 8, 9, and sequences of digits"),
    ],
)
def test_inputs_that_digits_cannot_give_are_refused(model_input, alphabet, message):
    known = protocols.Protocol("letters", 1, "Not all digits.", charset="01234567ab")
    encoder = encoder_of_alphabet(
        known if alphabet == "letters" else protocols.find_protocol(alphabet)
    )
    with pytest.raises(BenchError, match=message):
        SequenceOfDigits(ALL_SPLITS, SHORT, model_input, encoder, **PLAIN)

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from bench.core.model_input import FrameInput
from bench.core.types import InputShape
from bench.data import cards
from bench.data.datasets.seq_digits import SHA256, SPLITS, SeqDigits, read_scans

from ..conftest import finished

SIZES = {"train": 1260, "validation": 179, "test": 358}


def opened(dataset):
    return dataset.open(FrameInput(normalization="unit"), dataset.label_encoder(None))


@pytest.fixture(scope="module")
def source():
    return opened(SeqDigits())


def passed(source, split, **drawn):
    return finished(source, split, 100, **drawn)


def names(batches):
    return [name for batch in batches for name in batch.ids]


def served(batches):
    return Counter(int(number) for name in names(batches) for number in name.split("-"))


def test_scans_are_those_of_scikit_learn():
    digits = load_digits()
    scans = read_scans()
    assert {split: len(mine.numbers) for split, mine in scans.items()} == SIZES
    for mine in scans.values():
        np.testing.assert_array_equal(mine.images, digits.images[mine.numbers])
        np.testing.assert_array_equal(mine.labels, digits.target[mine.numbers])
        assert mine.images.dtype == np.uint8
        assert mine.full == 16
        assert mine.labels.dtype == np.int64


def test_every_scan_is_in_one_split():
    numbers = np.concatenate([mine.numbers for mine in read_scans().values()])
    assert sorted(numbers) == list(range(1797))


def test_clips_share_no_scan_with_another_split(source):
    train, validation, test = (set(served(passed(source, split))) for split in SIZES)
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.parametrize("split", SIZES)
def test_every_scan_is_used_equally_often_except_the_remainder(source, split):
    batches = passed(source, split)
    count = served(batches)
    assert len(names(batches)) == 4 * (SIZES[split] // 4)
    assert sum(len(batch.ids) for batch in batches) == len(names(batches))
    assert max(count.values()) == 4
    missing = 4 * SIZES[split] - count.total()
    assert missing == 4 * (SIZES[split] % 4)
    assert sum(times < 4 for times in count.values()) <= missing


@pytest.mark.parametrize("split", SIZES)
def test_clips_show_their_scans_at_key_frames(source, split):
    digits = load_digits()
    for batch in passed(source, split):
        numbers = np.array([[int(number) for number in name.split("-")] for name in batch.ids])
        np.testing.assert_array_equal(batch.targets, digits.target[numbers] + 1)
        keys = batch.inputs[torch.arange(len(numbers)).unsqueeze(1), batch.key_frames, 0]
        np.testing.assert_allclose(keys, digits.images[numbers] / 16, atol=1e-6)


def test_clips_have_seventeen_frames_of_eight_pixels(source):
    batch = passed(source, "validation")[0]
    assert batch.inputs.shape == (100, 17, 1, 8, 8)
    assert batch.lengths.tolist() == [17] * 100
    assert source.input_shape == InputShape(1, 8, 8)
    assert batch.inputs.min() >= 0
    assert batch.inputs.max() <= 1


@pytest.mark.parametrize("split", ["validation", "test"])
def test_other_splits_never_change(source, split):
    one = passed(source, split)
    for other in (
        passed(source, split),
        passed(source, split, seed=1, epoch=5),
        passed(opened(SeqDigits()), split),
    ):
        assert names(one) == names(other)
        assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(one, other, strict=True))
        assert all(torch.equal(a.targets, b.targets) for a, b in zip(one, other, strict=True))


def test_training_changes_with_seed_and_epoch_and_is_reproducible(source):
    draws = [names(passed(source, "train", seed=seed, epoch=epoch)) for seed, epoch in PASSES]
    assert len({frozenset(draw) for draw in draws}) == len(PASSES)
    again = opened(SeqDigits())
    assert draws == [
        names(passed(again, "train", seed=seed, epoch=epoch)) for seed, epoch in PASSES
    ]


PASSES = [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_parameters_decide_the_clips():
    source = opened(SeqDigits(digits=2, ramp=(0.5,), end_frames=0, rounds=1))
    batch = passed(source, "validation")[0]
    assert batch.inputs.shape[1] == 3
    assert batch.key_frames[0].tolist() == [0, 2]
    middle = batch.inputs[:, [0, 2]].mean(1)
    torch.testing.assert_close(batch.inputs[:, 1], middle)
    assert sum(served(passed(source, "validation")).values()) == 178


def test_a_fingerprint_depends_on_the_split_and_all_parameters():
    fingerprints = [
        dataset.fingerprint(split)
        for dataset in (SeqDigits(), SeqDigits(digits=2), SeqDigits(rounds=2))
        for split in SPLITS
    ]
    assert all(one.startswith("sha256:") for one in fingerprints)
    assert len({*fingerprints}) == 9
    assert fingerprints[0] == SeqDigits().fingerprint("train")


def test_the_card_has_the_counts_of_the_data():
    card, source = cards.all_cards()["seq-digits"], opened(SeqDigits())
    assert [each.digest for each in card.checksums] == [SHA256]
    sequences, scans = card.splits
    for split in SPLITS:
        assert getattr(scans, split) == len(source.splits[split].labels)
        assert getattr(sequences, split) == len(names(source.batches(split, 64)))
    frames = finished(source, "test", 1)[0].inputs.shape[1]
    assert f"{frames} frames" in card.notes[0]

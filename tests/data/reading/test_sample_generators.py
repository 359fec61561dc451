"""One generator per sample: reproducible, and different for each sample."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.data.reading.sample_generators import sample_generators

SEEDS, EPOCHS = st.integers(0, 2**64 - 1), st.integers(0, 2**24 - 1)
NUMBERS = st.integers(0, 2**40 - 1)


def first(generator):
    return generator.integers(0, 2**63, 4).tolist()


@given(SEEDS, EPOCHS, st.lists(NUMBERS, unique=True, max_size=8))
def test_a_sample_has_the_same_generator_in_any_batch(seed, epoch, numbers):
    together = map(first, sample_generators(seed, epoch, numbers))
    assert [*together] == [first(*sample_generators(seed, epoch, [number])) for number in numbers]


@given(st.sets(st.tuples(SEEDS, EPOCHS, NUMBERS), min_size=2, max_size=5))
def test_another_seed_epoch_or_sample_has_another_generator(samples):
    drawn = [first(*sample_generators(seed, epoch, [n])) for seed, epoch, n in samples]
    assert len({tuple(each) for each in drawn}) == len(samples)


def test_generators_of_neighboring_samples_are_independent():
    numbers = range(3000)
    generators = [
        *sample_generators(0, 0, numbers),
        *sample_generators(0, 1, numbers),
        *sample_generators(1, 0, numbers),
    ]
    values = [generator.random() for generator in generators]
    assert len(set(values)) == 9000
    assert abs(sum(values) / 9000 - 0.5) < 0.01
    assert abs(sum((a - 0.5) * (b - 0.5) for a, b in pairwise(values)) / 9000) < 0.004

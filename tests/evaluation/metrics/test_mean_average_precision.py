"""mAP and its linearization, compared with leaving samples out one by one."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.evaluation import metrics, protocols
from bench.evaluation.metrics.localization import measure_localization, path_runs
from bench.evaluation.metrics.mean_average_precision import SCALE
from bench.evaluation.metrics.readings import Readings


@st.composite
def sample(draw):
    """Draw a path, a reference, its key frames and a score per run."""
    path = draw(st.lists(st.integers(0, 3), min_size=1, max_size=12))
    keys = sorted(draw(st.sets(st.integers(0, len(path) - 1), max_size=4)))
    scores = [draw(st.sampled_from([0.1, 0.5, 0.9])) for _ in path_runs(path)]
    return path, "".join(draw(st.sampled_from("123")) for _ in keys), keys, scores


def columns(samples):
    spans = [path_runs(path) for path, *_ in samples]
    return {
        "reference": [reference for _, reference, _, _ in samples],
        "hypothesis": [
            "".join(str(path[start]) for start, _ in each)
            for (path, *_), each in zip(samples, spans, strict=True)
        ],
        "excluded": [None] * len(samples),
        "confidence": [0.5] * len(samples),
        "path": [path for path, *_ in samples],
        "aligned": [[start for start, _ in each] for each in spans],
        "key_frames": [keys for _, _, keys, _ in samples],
        "scores": [scores for *_, scores in samples],
    }


def counts(samples, **more):
    table = columns(samples) | more
    ids = [str(n) for n in range(len(samples))]
    readings = Readings(
        protocols.find_protocol("digits"), ids, table["reference"], table["hypothesis"], table
    )
    return metrics.find_metric("map").counts(readings)


def pseudo_values(samples):
    """Compute the jackknife by definition: the mAP of all samples, and without each of them."""
    value = measure_localization(columns(samples)).mean_average_precision
    values = []
    for n in range(len(samples)):
        rest = samples[:n] + samples[n + 1 :]
        other = measure_localization(columns(rest)).mean_average_precision if rest else None
        other = value if other is None else other
        values.append(len(samples) * value - (len(samples) - 1) * other)
    return value, np.array(values)


@settings(max_examples=150)
@given(st.lists(sample(), min_size=1, max_size=6))
def test_counts_equal_the_jackknife_of_plain_loops(samples):
    assume(any(keys for _, _, keys, _ in samples))
    value, pseudo = pseudo_values(samples)
    counted = counts(samples)
    expected = value + pseudo - pseudo.mean()
    assert counted.numerators / SCALE == pytest.approx(expected, abs=1e-8)
    assert set(counted.denominators.tolist()) == {SCALE}
    total = counted.numerators.sum() / counted.denominators.sum()
    assert total == pytest.approx(value, abs=1e-8)


def test_samples_without_key_frames_have_the_value_of_the_corpus():
    located = ([0, 1, 1, 0, 2], "12", [1, 4], [0.9, 0.5])
    value = measure_localization(columns([located])).mean_average_precision
    numerators = counts([located, ([0, 3], "3", [], [0.1])]).numerators
    assert numerators[1] == pytest.approx(SCALE * value)


@pytest.mark.parametrize(
    "more",
    [
        {"key_frames": [[]]},
        {"key_frames": [[2]]},
        {"aligned": [[]]},
        {"hypothesis": ["12"]},
        {"scores": [[]]},
    ],
)
def test_without_key_frames_or_runs_there_is_no_value(more):
    assert counts([([0, 1], "1", [1], [0.5])], **more) is None


def test_texts_alone_have_no_value():
    readings = Readings(protocols.find_protocol("digits"), ["a"], ["1"], ["1"])
    assert metrics.find_metric("map").counts(readings) is None


def test_a_blank_path_has_zero():
    assert counts([([0, 0], "1", [1], [])]).numerators.tolist() == [0]


def test_the_variance_of_the_counts_is_that_of_resampled_corpora():
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(150):
        reference = "".join(rng.choice(list("123"), 3))
        path = []
        for digit in reference:
            read = digit if rng.random() < 0.8 else rng.choice(list("123"))
            first, width = int(rng.integers(0, 2)), int(rng.integers(1, 4))
            path += [0] * first + [int(read)] * width + [0] * (5 - first - width)
        keys = [2, 7, 12]
        samples.append((path, reference, keys, rng.random(len(path_runs(path))).tolist()))
    counted = counts(samples)
    error = (counted.numerators / SCALE).std(ddof=1) / np.sqrt(len(samples))
    drawn = [
        measure_localization(
            columns([samples[n] for n in rng.integers(0, len(samples), len(samples))])
        ).mean_average_precision
        for _ in range(60)
    ]
    assert error == pytest.approx(np.std(drawn), rel=0.35)


@pytest.mark.slow
def test_thousands_of_samples_take_seconds():
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(2_500):
        path = [0] * 17
        digits = rng.integers(1, 10, 4)
        for n, digit in enumerate(digits):
            path[4 * n + 1 : 4 * n + 3] = [int(digit)] * 2
        reference = "".join(map(str, digits))
        samples.append((path, reference, [2, 6, 10, 14], rng.random(4).tolist()))
    began = time.process_time()
    counts(samples)
    assert time.process_time() - began < 3

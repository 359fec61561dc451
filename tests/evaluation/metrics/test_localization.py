from __future__ import annotations

import json
from dataclasses import asdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.metrics.detection import true_segments
from bench.evaluation.metrics.localization import (
    HEADERS,
    THRESHOLDS,
    localization_rows,
    measure_localization,
    path_runs,
    read_correctly,
)

paths = st.lists(st.integers(0, 3), min_size=1, max_size=14)


def columns(samples, **more):
    """Return the columns of samples, each a path, a reference and its key frames."""
    spans = [path_runs(path) for path, _, _ in samples]
    read = [
        "".join(str(path[start]) for start, _ in each)
        for (path, _, _), each in zip(samples, spans, strict=True)
    ]
    return {
        "reference": [reference for _, reference, _ in samples],
        "hypothesis": read,
        "excluded": [None] * len(samples),
        "confidence": [0.5] * len(samples),
        "path": [path for path, _, _ in samples],
        "aligned": [[start for start, _ in each] for each in spans],
        "key_frames": [keys for _, _, keys in samples],
    } | more


@st.composite
def sample(draw):
    path = draw(paths)
    keys = sorted(draw(st.sets(st.integers(0, len(path) - 1), max_size=4)))
    return path, "".join(draw(st.sampled_from("123")) for _ in keys), keys


@st.composite
def shown(draw):
    """Draw a sample whose path is the reference; even gaps leave a blank between two labels."""
    gaps = draw(st.lists(st.sampled_from([2, 4, 6]), max_size=3))
    keys = [2]
    for gap in gaps:
        keys.append(keys[-1] + gap)
    reference = "".join(draw(st.sampled_from("123")) for _ in keys)
    path = [0] * (keys[-1] + 1 + draw(st.integers(0, 3)))
    for label, segment in zip(reference, true_segments(0, keys, len(path)), strict=True):
        path[segment.start : segment.end] = [int(label)] * (segment.end - segment.start)
    return path, reference, keys


tables = st.lists(sample(), min_size=1, max_size=5).filter(
    lambda samples: any(keys for _, _, keys in samples)
)


@settings(max_examples=60)
@given(st.lists(shown(), min_size=1, max_size=4))
def test_a_path_of_true_segments_has_perfect_scores(samples):
    located = measure_localization(columns(samples))
    assert located.mean_average_precision == 1
    assert all(each.mean_average_precision == 1 for each in located.classes.values())
    assert located.key_frame_error.labels == located.labels == located.peaks


@settings(max_examples=60)
@given(tables)
def test_blank_paths_have_precision_zero(samples):
    blank = [([0] * len(path), reference, keys) for path, reference, keys in samples]
    located = measure_localization(columns(blank))
    assert located.mean_average_precision == 0
    assert located.blank_ratio == 1
    assert located.peak_width is None
    assert located.key_frame_error.mean is None


@settings(max_examples=60)
@given(tables, st.randoms())
def test_the_order_of_samples_does_not_matter(samples, random):
    shuffled = random.sample(samples, len(samples))
    assert asdict(measure_localization(columns(samples))) == asdict(
        measure_localization(columns(shuffled))
    )


@settings(max_examples=60)
@given(tables)
def test_everything_stays_within_its_bounds(samples):
    located = measure_localization(columns(samples))
    for each in [located, *located.classes.values()]:
        precisions = list(each.average_precision.values())
        assert all(0 <= later <= earlier + 1e-12 for earlier, later in pairwise([1, *precisions]))
        assert each.key_frame_error.labels <= located.labels
    assert 0 <= located.blank_ratio <= 1
    assert located.labels == sum(each.labels for each in located.classes.values())
    assert located.peaks == sum(each.peaks for each in located.classes.values())


@settings(max_examples=60)
@given(tables, st.integers(1, 5))
def test_blank_frames_at_both_ends_change_no_precision(samples, more):
    # At least two key frames, so that no true segment is bounded by the path alone, and free
    # frames at both ends, so that no segment is cut.
    wide = [
        ([0] * 9 + path + [0] * 9, reference, [key + 9 for key in keys])
        for path, reference, keys in samples
    ] + [([0] * 9 + [1, 0, 2] + [0] * 9, "12", [9, 11])]
    wide = [each for each in wide if len(each[-1]) > 1]
    moved = [
        ([0] * more + path + [0] * more, reference, [key + more for key in keys])
        for path, reference, keys in wide
    ]
    assert (
        measure_localization(columns(wide)).classes == measure_localization(columns(moved)).classes
    )


@given(st.lists(paths, min_size=1, max_size=4))
def test_runs_blank_ratio_and_peak_width_equal_those_of_decoders(paths_read):
    from bench.decoding.algorithms.decoded import Decoded

    longest = max(map(len, paths_read))
    padded = np.array([path + [0] * (longest - len(path)) for path in paths_read])
    lengths = np.array([len(path) for path in paths_read])
    decoded = Decoded([], padded, np.ones(len(paths_read)), np.zeros(padded.shape), lengths)
    for n, path in enumerate(paths_read):
        assert path_runs(path) == [(span.start, span.end) for span in decoded.spans().of_sample(n)]
        located = measure_localization(columns([(path, "", [])]))
        assert located.blank_ratio == pytest.approx(decoded.blank_ratio()[n])
        if located.peaks:
            assert located.peak_width == pytest.approx(decoded.peak_width()[n])
        else:
            assert np.isnan(decoded.peak_width()[n])


def unchanged_label_sets(reference, hypothesis, keys, aligned):
    """Return all sets of unchanged labels, as (edits, unchanged labels, distance, pairs)."""
    same = [(i, j) for i, a in enumerate(reference) for j, b in enumerate(hypothesis) if a == b]
    ends = (len(reference), len(hypothesis))
    for count in range(len(same) + 1):
        for pairs in combinations(same, count):
            steps = list(pairwise([(-1, -1), *pairs, ends]))
            if all(a < c and b < d for (a, b), (c, d) in steps):
                edits = sum(max(c - a, d - b) - 1 for (a, b), (c, d) in steps)
                distance = sum(abs(keys[i] - aligned[j]) for i, j in pairs)
                yield edits, -count, distance, list(pairs)


@settings(max_examples=150)
@given(st.text("12", max_size=4), st.text("12", max_size=4), st.data())
def test_labels_read_correctly_equal_those_of_the_best_of_all_alignments(reference, read, data):
    keys, aligned = (
        sorted(data.draw(st.sets(st.integers(0, 12), min_size=len(text), max_size=len(text))))
        for text in (reference, read)
    )
    best = min(unchanged_label_sets(reference, read, keys, aligned))
    assert read_correctly(reference, read, keys, aligned) == best[-1]


def test_of_two_equal_labels_the_nearer_is_correct():
    assert read_correctly("11", "1", [2, 6], [5]) == [(1, 0)]
    assert read_correctly("11", "1", [2, 6], [3]) == [(0, 0)]
    assert read_correctly("11", "1", [2, 6], [4]) == [(0, 0)]


def test_of_equally_short_alignments_the_one_with_most_unchanged_labels_counts():
    # Two substitutions are as few edits as an insertion and a deletion, and have distance 0.
    assert read_correctly("12", "21", [2, 6], [2, 6]) == [(0, 1)]
    assert read_correctly("12", "21", [2, 6], [5, 9]) == [(1, 0)]


def test_one_sample_by_hand():
    # True: 3 on frames 1-3, 1 on 5-7, 3 on 9-11. Read: 3 on 1-2, 2 on 5-7, 3 on 11-13.
    path = [0, 3, 3, 0, 0, 2, 2, 2, 0, 0, 0, 3, 3, 3]
    located = measure_localization(columns([(path, "313", [2, 6, 10])]))
    assert (located.samples, located.located, located.labels, located.peaks) == (1, 1, 3, 3)
    assert located.blank_ratio == 6 / 14
    assert located.peak_width == 8 / 3
    # The IoU of the first 3 is 2/3, that of the last 1/5: one of two is matched at equal scores.
    three = located.classes["3"]
    assert three.average_precision == {"0.3": 0.25, "0.4": 0.25, "0.5": 0.25, "0.6": 0.25, "0.7": 0}
    assert three.mean_average_precision == pytest.approx(0.2)
    assert (three.peak_width, three.peaks) == (2.5, 2)
    assert asdict(three.key_frame_error) == {"labels": 2, "mean": 1, "median": 1}
    assert located.classes["1"].mean_average_precision == 0
    assert located.classes["1"].key_frame_error.labels == 0
    # 2 is not a true label: it has no precision, and is not in the mean over classes.
    assert located.classes["2"].mean_average_precision is None
    assert located.classes["2"].average_precision == {}
    assert located.mean_average_precision == pytest.approx(0.1)


def test_scores_rank_labels_and_nan_is_last():
    path = [0, 3, 3, 3, 0, 3, 3, 3]
    samples = [(path, "31", [2, 6])]
    ranked = [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.1, np.nan], [np.nan, 0.1]]
    for scores, expected in zip(ranked, [1, 0.5, 0.5, 1, 0.5], strict=True):
        located = measure_localization(columns(samples, scores=[scores]))
        assert located.classes["3"].mean_average_precision == expected


def test_confidence_ranks_samples_where_labels_have_no_scores():
    samples = [([1, 1, 1], "1", [1]), ([1, 1, 1], "2", [1])]
    for confidence, expected in [([0.9, 0.1], 1), ([0.1, 0.9], 0.5), ([0.5, 0.5], 0.5)]:
        located = measure_localization(columns(samples, confidence=confidence))
        assert located.classes["1"].mean_average_precision == expected


def test_without_key_frames_there_are_still_peaks():
    located = measure_localization(columns([([0, 1, 1, 0], "1", []), ([0, 2, 0, 2], "22", [1])]))
    assert (located.samples, located.located, located.labels) == (2, 0, 0)
    assert located.mean_average_precision is None
    assert located.average_precision == {}
    assert located.key_frame_error.labels == 0
    assert (located.blank_ratio, located.peak_width) == (0.5, 4 / 3)


def test_excluded_samples_do_not_count():
    samples = [([0, 1], "1", [1]), ([2, 2], "x", [0])]
    located = measure_localization(columns(samples, excluded=[None, "outside the charset: x"]))
    assert located == measure_localization(columns(samples[:1]))


def test_labels_that_do_not_fit_into_the_frames_are_missed():
    table = columns([([0, 0], "11", [0, 1])], hypothesis=["11"])
    located = measure_localization(table)
    assert located.mean_average_precision == 0
    assert located.key_frame_error.labels == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"excluded": ["empty reference"]}, "no sample"),
        ({"aligned": [[]]}, "a sample has 1 runs on its path, but 1 labels read with 0 frames"),
        ({"hypothesis": ["12"]}, "1 runs on its path, but 2 labels read"),
        ({"scores": [[]]}, "1 frames and 0 scores"),
        ({"key_frames": [[7]]}, "do not increase within the 2 frames"),
    ],
)
def test_what_cannot_be_measured_is_an_error(more, message):
    with pytest.raises(ValueError, match=message):
        measure_localization(columns([([0, 1], "1", [1])], **more))


def test_tokens_may_have_several_characters():
    table = columns([([0, 1], ["REGEN"], [1])], hypothesis=[["REGEN"]])
    assert list(measure_localization(table).classes) == ["REGEN"]


def test_results_are_json_and_rows():
    located = measure_localization(columns([([0, 3, 3, 0, 0, 2], "31", [1, 5])]))
    assert json.loads(json.dumps(asdict(located))) == asdict(located)
    assert all(len(row) == len(HEADERS) for row in localization_rows(located))
    assert localization_rows(located) == [
        ["1", "1", "0.0", *["0.0"] * 5, "–", "–", "0", "–", "0", "–"],
        ["2", "0", "–", *["–"] * 5, "–", "–", "0", "1.00", "1", "–"],
        ["3", "1", "80.0", *["100.0"] * 4, "0.0", "0.00", "0.00", "1", "2.00", "1", "–"],
        ["all", "2", "40.0", *["50.0"] * 4, "0.0", "0.00", "0.00", "1", "1.50", "2", "50.0"],
    ]
    assert len(THRESHOLDS) == 5

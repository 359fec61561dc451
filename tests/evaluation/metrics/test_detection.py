from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.metrics.detection import (
    Segment,
    average_precision,
    rank_detections,
    temporal_iou,
    true_segments,
)

thresholds = st.sampled_from([0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0])


@st.composite
def segments(draw, most=6):
    """Segments of up to three samples that do not overlap within a sample, as on a path."""
    detections = []
    for sample in range(3):
        cuts = sorted(draw(st.sets(st.integers(0, 14), max_size=most)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            detections.append(Segment(sample, start, end, draw(st.sampled_from([0.1, 0.5, 0.9]))))
    return detections


def frames(segment):
    return set(range(segment.start, segment.end))


def slow_overlap(a, b):
    if a.sample != b.sample:
        return 0
    return len(frames(a) & frames(b)) / len(frames(a) | frames(b))


def slow_right(references, detections, threshold):
    """Count the correct detections by a plain loop."""
    matched = set()
    for score in sorted({each.score for each in detections}, reverse=True):
        for segment in sorted(detections, key=lambda each: each.start):
            if segment.score != score:
                continue
            best, most = None, 0.0
            for reference in sorted(references, key=lambda each: each.start):
                shared = slow_overlap(reference, segment)
                if reference not in matched and shared >= threshold and shared > most:
                    best, most = reference, shared
            if best is not None:
                matched.add(best)
    return len(matched)


def slow_average_precision(references, detections, threshold):
    """Average precision by plain loops: the best precision per number of true segments found."""
    total = 0.0
    for count in range(1, len(references) + 1):
        best = 0.0
        for cut in {each.score for each in detections}:
            remaining = [each for each in detections if each.score >= cut]
            right = slow_right(references, remaining, threshold)
            if right >= count:
                best = max(best, right / len(remaining))
        total += best
    return total / len(references)


@settings(max_examples=120)
@given(segments().filter(bool), segments(), thresholds)
def test_average_precision_equals_that_of_plain_loops(references, detections, threshold):
    expected = slow_average_precision(references, detections, threshold)
    assert average_precision(references, detections, threshold) == pytest.approx(expected)


@settings(max_examples=120)
@given(segments().filter(bool), segments())
def test_leave_one_out_equals_the_precision_without_the_sample(references, detections):
    levels = [0.1, 0.3, 0.5, 0.7]
    areas = rank_detections(references, detections, levels).leave_one_out()
    assert areas.keys() == {each.sample for each in [*references, *detections]}
    for sample, area in areas.items():
        remaining = [
            [each for each in part if each.sample != sample] for part in (references, detections)
        ]
        if remaining[0]:
            assert area.tolist() == pytest.approx(
                [average_precision(*remaining, t) for t in levels]
            )
        else:
            assert np.isnan(area).all()


@given(segments().filter(bool), segments(), thresholds, thresholds)
def test_a_higher_threshold_never_raises_the_precision(references, detections, first, second):
    low, high = sorted([first, second])
    lower, higher = (average_precision(references, detections, each) for each in (low, high))
    assert 0 <= higher <= lower + 1e-12
    assert lower <= 1


@given(segments().filter(bool), segments(), thresholds, st.integers(1, 9), st.randoms())
def test_neither_shifts_nor_the_order_of_samples_matter(
    references, detections, threshold, shift, random
):
    def moved(segments_of_class):
        names = {0: 5, 1: 2, 2: 7}
        return [
            each._replace(sample=names[each.sample], start=each.start + shift, end=each.end + shift)
            for each in random.sample(segments_of_class, len(segments_of_class))
        ]

    expected = average_precision(references, detections, threshold)
    assert average_precision(moved(references), moved(detections), threshold) == expected


@given(segments().filter(bool), segments(), thresholds)
def test_only_the_order_of_scores_matters(references, detections, threshold):
    scaled = [each._replace(score=each.score**3 - 7) for each in detections]
    expected = average_precision(references, detections, threshold)
    assert average_precision(references, scaled, threshold) == expected


@given(segments().filter(bool), thresholds)
def test_precision_is_one_for_all_true_segments_and_zero_for_none(references, threshold):
    assert average_precision(references, references, threshold) == 1
    assert average_precision(references, [], threshold) == 0


def test_false_segments_lower_only_the_precision_of_later_ranks():
    references = [Segment(0, 0, 4), Segment(1, 0, 4)]
    right = [Segment(0, 0, 4, 0.9), Segment(1, 0, 4, 0.5)]
    assert average_precision(references, [*right, Segment(0, 6, 8, 0.1)], 0.5) == 1
    assert average_precision(references, [*right, Segment(0, 6, 8, 0.7)], 0.5) == pytest.approx(
        5 / 6
    )
    assert average_precision(references, [*right, Segment(0, 6, 8, 1)], 0.5) == pytest.approx(2 / 3)


def test_the_worked_example_of_the_documentation():
    references = [Segment(0, start, start + 20) for start in (0, 30, 60, 90)]
    detections = [
        Segment(0, 0, 20, 0.9),
        Segment(0, 30, 42, 0.8),
        Segment(0, 120, 130, 0.6),
        Segment(0, 60, 75, 0.6),
        Segment(0, 90, 97, 0.3),
    ]
    expected = {0.3: 0.9, 0.4: 0.6875, 0.5: 0.6875, 0.6: 0.6875, 0.7: 0.375}
    for threshold, area in expected.items():
        assert average_precision(references, detections, threshold) == pytest.approx(area)


def test_equal_scores_are_one_point_of_the_curve():
    references = [Segment(0, 0, 4)]
    for detections in ([Segment(0, 0, 4), Segment(0, 6, 8)], [Segment(0, 0, 4), Segment(1, 6, 8)]):
        assert average_precision(references, detections, 0.5) == 0.5
        assert average_precision(references, detections[::-1], 0.5) == 0.5


def test_of_equal_scores_the_earlier_is_matched_first():
    # Both overlap the second true segment most, and the second one overlaps no other.
    references, detections = (
        [Segment(0, 0, 3), Segment(0, 4, 14)],
        [Segment(0, 0, 10), Segment(0, 10, 14)],
    )
    assert average_precision(references, detections[::-1], 0.3) == 0.25
    assert average_precision(references, [detections[0], detections[1]._replace(score=1)], 0.3) == 1


def test_a_true_segment_is_matched_once():
    halves = [Segment(0, 0, 4, 0.9), Segment(0, 5, 9, 0.8)]
    assert average_precision([Segment(0, 0, 9)], halves, 0.4) == 1
    assert average_precision([Segment(0, 0, 9)], halves, 0.5) == 0
    assert average_precision([Segment(0, 0, 9), Segment(1, 0, 1)], halves, 0.4) == 0.5


def test_an_overlap_of_the_threshold_itself_is_enough():
    reference = [Segment(0, 0, 10)]
    for tenths in range(1, 11):
        detections = [Segment(0, 0, tenths)]
        assert (
            average_precision(reference, detections, float(f"0.{tenths}" if tenths < 10 else 1))
            == 1
        )


@given(segments(), segments())
def test_temporal_iou_equals_that_of_sets_of_frames(some, others):
    for a in some:
        for b in others:
            assert temporal_iou(a, b) == slow_overlap(a, b)


def test_without_true_segments_there_is_no_precision():
    with pytest.raises(ValueError, match="no true segment, so recall is undefined"):
        average_precision([], [Segment(0, 0, 1)], 0.5)


@st.composite
def keyed(draw):
    length = draw(st.integers(1, 24))
    keys = sorted(draw(st.sets(st.integers(0, length - 1), min_size=1, max_size=5)))
    return keys, length


@given(keyed())
def test_a_frame_belongs_to_the_nearer_key_frame(case):
    keys, length = case
    detections = true_segments(3, keys, length)
    for frame in range(keys[0], keys[-1] + 1):
        near = sorted(abs(frame - key) for key in keys)
        nearest = [key for key in keys if abs(frame - key) == near[0]]
        holders = [key for key, each in zip(keys, detections, strict=True) if frame in frames(each)]
        assert holders == (nearest if len(nearest) == 1 else [])
    assert all(each.sample == 3 and 0 <= each.start < each.end <= length for each in detections)


@given(keyed())
def test_true_segments_are_mirrored_with_time(case):
    keys, length = case
    backwards = true_segments(0, [length - 1 - key for key in reversed(keys)], length)
    mirrored = [(length - each.end, length - each.start) for each in reversed(backwards)]
    assert [(each.start, each.end) for each in true_segments(0, keys, length)] == mirrored


@pytest.mark.parametrize(
    ("keys", "length", "spans"),
    [
        ([2, 6, 10, 14], 17, [(1, 4), (5, 8), (9, 12), (13, 16)]),
        ([5, 15, 25, 35], 41, [(1, 10), (11, 20), (21, 30), (31, 40)]),
        ([0, 6], 8, [(0, 3), (4, 8)]),
        ([3], 8, [(0, 8)]),
        ([0, 1, 4], 6, [(0, 1), (1, 3), (3, 6)]),
        ([], 6, []),
    ],
)
def test_true_segments_by_hand(keys, length, spans):
    assert [(each.start, each.end) for each in true_segments(0, keys, length)] == spans


@pytest.mark.parametrize("keys", [[1, 1], [3, 2], [-1, 2], [2, 5]])
def test_key_frames_must_increase_within_the_path(keys):
    with pytest.raises(ValueError, match="do not increase within the 5 frames"):
        true_segments(0, keys, 5)


def test_a_true_segment_has_the_frames_where_its_digit_is_strongest():
    from bench.data.reading.sequence_of_digits import Scheme

    for scheme in (Scheme(4, (0.3, 0.5, 0.7), 2), Scheme(4, tuple(np.arange(1, 10) / 10), 5)):
        weights = scheme.weights()
        keys = scheme.key_frames().tolist()
        for digit, segment in enumerate(true_segments(0, keys, len(weights))):
            others = np.delete(weights, digit, 1).max(1)
            strongest = set(np.flatnonzero(weights[:, digit] > others + 1e-6).tolist())
            inside = {t for t in strongest if keys[0] <= t <= keys[-1]}
            assert inside == frames(segment) & set(range(keys[0], keys[-1] + 1))
            assert frames(segment) <= strongest

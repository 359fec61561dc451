"""Spans, key frames, blank ratio and peak width against loops over frames."""

from __future__ import annotations

import math
import warnings
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.algorithms.decoded import Decoded, Span, collapse, runs


@st.composite
def decodings(draw):
    """Paths (N, T), blank on padding, with scores that have ties."""
    samples, frames = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    lengths = draw(st.lists(st.integers(0, frames), min_size=samples, max_size=samples))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    path = generator.integers(0, draw(st.integers(1, 4)), (samples, frames))
    scores = -generator.integers(0, 4, (samples, frames)).astype(np.float32) / 2
    padding = np.arange(frames) >= np.array(lengths)[:, np.newaxis]
    path[padding] = scores[padding] = 0
    confidence = np.exp(scores.sum(1))
    return Decoded(collapse(path), path, confidence, scores, np.array(lengths))


def naive(path, scores):
    """Return the spans of one path, run by run."""
    found, at = [], 0
    for label, run in groupby(path.tolist()):
        end = at + len(list(run))
        if label != 0:
            given = scores[at:end].tolist()
            confidence = pytest.approx(math.exp(sum(given) / len(given)), rel=1e-5)
            found.append(Span(label, at, end, at + given.index(max(given)), confidence))
        at = end
    return found


@settings(max_examples=200)
@given(decodings())
def test_spans_are_those_of_the_slow_loop(decoded):
    spans = decoded.spans()
    for n, labels in enumerate(decoded.labels):
        expected = naive(decoded.path[n], decoded.scores[n])
        assert spans.of_sample(n) == expected
        assert labels.tolist() == [span.label for span in expected]
        assert decoded.key_frames()[n].tolist() == [span.key for span in expected]
    assert len(decoded.key_frames()) == len(decoded.labels)


@settings(max_examples=100)
@given(decodings())
def test_blank_ratio_and_peak_width_are_those_of_the_slow_loop(decoded):
    with warnings.catch_warnings(action="error"):
        blank, width = decoded.blank_ratio(), decoded.peak_width()
    for n, length in enumerate(decoded.lengths.tolist()):
        path = decoded.path[n, :length].tolist()
        widths = [span.end - span.start for span in naive(decoded.path[n], decoded.scores[n])]
        shares = path.count(0) / length if length else math.nan
        assert blank[n] == pytest.approx(shares, nan_ok=True)
        assert width[n] == pytest.approx(np.mean(widths) if widths else math.nan, nan_ok=True)


def test_the_confidences_of_spans_and_blanks_multiply_to_that_of_the_path():
    path = np.array([[0, 1, 1, 0, 2]])
    scores = np.log(np.array([[0.9, 0.5, 0.8, 0.7, 0.6]], dtype=np.float32))
    powers = [
        span.confidence ** (span.end - span.start) for span in runs(path, scores).of_sample(0)
    ]
    assert np.prod(powers) * 0.9 * 0.7 == pytest.approx(np.exp(scores.sum()))


def test_what_is_not_a_number_is_no_key_frame_and_no_frames_are_no_error():
    scores = np.array([[math.nan, -2, -1, math.nan, math.nan]], dtype=np.float32)
    assert runs(np.array([[1, 1, 1, 2, 2]]), scores).key.tolist() == [2, 3]
    none = runs(np.zeros((2, 0), dtype=np.int64), np.zeros((2, 0), dtype=np.float32))
    assert [none.of_sample(0), none.of_sample(1)] == [[], []]

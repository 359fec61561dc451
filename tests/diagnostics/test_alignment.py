"""Posteriors, paths and key frames of a sample."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import BenchError
from bench.decoding.algorithms.decoded import Span
from bench.diagnostics import alignment, canvas


@pytest.fixture
def digits(evaluation):
    """Return an evaluation on clips of 9 frames, one of its samples, and how that was read."""
    digits = evaluation("radial-ctc")
    row = digits.rows[7]
    return digits, row, alignment.read_sample(digits, row["id"])


def test_posteriors_and_the_greedy_path_are_those_of_the_evaluation(digits):
    _, row, reading = digits
    np.testing.assert_allclose(reading.posteriors.sum(1), 1, rtol=1e-5)
    path = reading.posteriors.argmax(1).tolist()
    assert path == row["path"]
    spread = [0] * len(path)
    for span in reading.greedy:
        spread[span.start : span.end] = [span.label] * (span.end - span.start)
    assert spread == path


def test_the_reference_path_has_the_target_and_its_most_probable_frames(digits):
    evaluation, row, reading = digits
    tokens = ("", *evaluation.vocabulary)
    assert "".join(tokens[span.label] for span in reading.reference) == row["reference"]
    for span in reading.reference:
        values = reading.posteriors[span.start : span.end, span.label]
        assert span.key == span.start + values.argmax()


def test_annotated_segments_are_around_the_annotated_key_frames(digits):
    _, row, reading = digits
    assert row["key_frames"] == [2, 6]
    labels = [int(digit) + 1 for digit in row["reference"]]
    assert reading.annotated == [Span(labels[0], 1, 4, 2, 1.0), Span(labels[1], 5, 8, 6, 1.0)]


def test_a_clip_is_a_strip_of_its_frames(digits):
    evaluation, row, reading = digits
    assert (reading.frames_shown, reading.pixels.shape) == (9, (8, 72, 3))
    batch, place = evaluation.sample(row["id"])
    shown = (batch.inputs[place, 5, 0].numpy() * 255).round()
    np.testing.assert_array_equal(reading.pixels[:, 40:48, 0], shown)


def test_an_image_is_complete_and_has_no_annotated_segments(evaluation):
    lines = evaluation("ctc")
    batch, place = lines.sample(lines.rows[0]["id"])
    read = alignment.read_sample(lines, lines.rows[0]["id"])
    assert (read.frames_shown, read.annotated) == (1, [])
    assert read.pixels.shape == (16, int(batch.lengths[place]), 3)
    assert len(read.posteriors) == len(lines.rows[0]["path"])


def test_a_picture_has_the_id_in_its_name_and_the_colors_of_its_labels(digits, tmp_path):
    evaluation, row, reading = digits
    [file] = alignment.draw(evaluation, [row["id"]], tmp_path)
    assert file == tmp_path / f"alignment-{row['id']}.png"
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for color in canvas.class_colors((span.label for span in reading.reference), 11).values():
        assert (pixels == [*bytes.fromhex(color[1:])]).all(1).any()


def test_a_loss_without_alignments_is_refused(evaluation, tmp_path):
    with pytest.raises(BenchError, match=r"--alignment draws CTC alignments, but loss 'ce'"):
        [*alignment.draw(evaluation("ce"), [], tmp_path)]


def test_another_decoder_than_greedy_is_refused(evaluation, copied, tmp_path):
    decoder = evaluation("ctc").record.spec["decoder"] | {"name": "beam"}
    with pytest.raises(BenchError, match=r"evaluation is 'beam'; .* with the greedy decoder"):
        [*alignment.draw(copied("ctc", decoder=decoder), [], tmp_path)]

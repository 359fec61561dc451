"""Features of frames: collected, rotated and projected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.core.errors import BenchError
from bench.diagnostics import features
from bench.diagnostics.posteriors import read_frames


def test_every_frame_has_the_class_of_the_best_path_of_its_target(evaluation):
    digits = evaluation("radial-ctc")
    cloud = features.collect_features(digits)
    assert cloud.features.shape == (len(digits.rows) * 9, 3)
    assert cloud.weights.shape == (11, 3)
    batch, _ = digits.sample(digits.rows[0]["id"])
    np.testing.assert_array_equal(
        cloud.classes[: batch.inputs.shape[0] * 9],
        read_frames(digits, batch).reference.path.reshape(-1),
    )


@given(st.integers(0, 10_000))
def test_a_rotation_keeps_all_angles(seed):
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=(20, 3)), rng.normal(size=(4, 3))
    cloud = features.FrameFeatures(
        points.astype(np.float32), np.zeros(20, np.int64), weights.astype("f4")
    )
    turned = features.rotate_upright(cloud)
    wanted = _normalized(points) @ _normalized(weights).T
    np.testing.assert_allclose(turned.features @ turned.weights.T, wanted, atol=1e-5)
    np.testing.assert_allclose(turned.weights[0], [0, 0, 1], atol=1e-5)
    assert turned.weights[1, 0] >= 0
    assert turned.weights[1, 1] == pytest.approx(0, abs=1e-5)


def _normalized(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_on_the_map_the_distance_from_the_center_is_the_angle_to_blank():
    points = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0]], np.float32)
    flat = features.azimuthal_map(points)
    np.testing.assert_allclose(flat, [[0, 0], [90, 0], [0, 90], [-90, 0]], atol=1e-4)
    assert np.linalg.norm(features.azimuthal_map(-points[:1])) == pytest.approx(180)


def test_the_projection_keeps_the_directions_of_largest_variance():
    points = np.random.default_rng(0).normal(size=(500, 4)) @ np.diag([0.1, 3, 1, 0])
    points_2d, share = features.project_pca(points.astype(np.float32))
    values = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    np.testing.assert_allclose(points_2d.var(0, ddof=1), values[:2], rtol=1e-3)
    assert share == pytest.approx(values[:2].sum() / values.sum(), rel=1e-3)


@pytest.mark.parametrize(("loss", "size"), [("radial-ctc", (1500, 750)), ("ctc", (1050, 750))])
def test_features_are_drawn(evaluation, tmp_path, loss, size):
    [file] = features.draw(evaluation(loss), [], tmp_path)
    assert file == tmp_path / "features.png"
    with Image.open(file) as picture:
        assert picture.size == size


def test_a_loss_without_alignments_has_no_picture_of_features(evaluation, tmp_path):
    with pytest.raises(BenchError, match=r"--features draws CTC alignments, but loss 'ce'"):
        [*features.draw(evaluation("ce"), [], tmp_path)]

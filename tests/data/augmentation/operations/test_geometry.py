"""Images transformed by matrices, compared with Pillow and with known pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.data.augmentation.operations import geometry

from ..images import SHAPES, image

BORDERS = [geometry.GRAY, geometry.REPLICATE, geometry.REFLECT]
PILLOW = {"nearest": Image.Resampling.NEAREST, "linear": Image.Resampling.BILINEAR}


def by_pillow(pixels, matrix, interpolation):
    """Return an image transformed by Pillow, which maps new positions to old ones."""
    inverse = np.linalg.inv(matrix)
    affine = matrix[2, 0] == matrix[2, 1] == 0
    kind = Image.Transform.AFFINE if affine else Image.Transform.PERSPECTIVE
    numbers = (inverse / inverse[2, 2]).ravel()[: 6 if affine else 8]
    fill = (128, 128, 128) if pixels.ndim == 3 else 128
    size = pixels.shape[1::-1]
    moved = Image.fromarray(pixels).transform(
        size, kind, numbers, PILLOW[interpolation], fillcolor=fill
    )
    return np.asarray(moved)


def middle_of(moved, wanted):
    """Return the absolute differences away from the border, which Pillow does not interpolate."""
    inside = (wanted != 128) & (moved != 128)
    return np.abs(moved.astype(int) - wanted)[inside]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("border", BORDERS, ids=lambda border: border.kind)
@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_the_identity_changes_nothing(shape, border, interpolation):
    pixels = image(shape)
    for matrix in (geometry.rotation(0), geometry.perspective(pixels, geometry.corners(pixels))):
        moved = geometry.warped(pixels, matrix, border, interpolation)
        assert (moved == pixels).all()
    fitted = geometry.fitted(geometry.rotation(0), pixels)
    assert np.allclose(fitted, np.eye(3))


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize(
    "matrix",
    [
        geometry.shear_x(0.4),
        geometry.shear_y(-0.23),
        geometry.translation(3.3, -4.6),
        geometry.rotation(9) @ geometry.scaling(0.8, 1.1),
    ],
    ids=["shear x", "shear y", "translation", "rotation and scale"],
)
@pytest.mark.parametrize("interpolation", PILLOW)
def test_an_affine_transform_equals_that_of_pillow(channels, matrix, interpolation):
    pixels = image((40, 90, *channels))
    moved = geometry.warped(pixels, matrix, geometry.GRAY, interpolation)
    differences = middle_of(moved, by_pillow(pixels, matrix, interpolation))
    assert len(differences) > pixels.size / 2
    assert np.mean(differences <= 4) > 0.97
    assert differences.mean() < 0.8


def test_a_perspective_equals_that_of_pillow():
    pixels = image((40, 90))
    moved_corners = geometry.corners(pixels)[:2] + np.array([[4, -9, -1, 7], [6, 2, -8, 0]])
    matrix = geometry.perspective(pixels, moved_corners)
    moved = geometry.warped(pixels, matrix, geometry.GRAY)
    differences = middle_of(moved, by_pillow(pixels, matrix, "linear"))
    assert np.mean(differences <= 4) > 0.97


@pytest.mark.parametrize("degrees", [-30, 7, 15])
def test_a_fitted_rotation_is_a_larger_canvas_stretched_back(degrees):
    pixels = image((48, 150), 1)
    matrix = geometry.fitted(geometry.rotation(degrees), pixels)
    moved = geometry.warped(pixels, matrix, geometry.GRAY)
    expanded = Image.fromarray(pixels).rotate(
        degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=128
    )
    wanted = np.asarray(expanded.resize((150, 48), Image.Resampling.BILINEAR))
    assert moved.shape == pixels.shape
    assert np.corrcoef(moved.ravel(), wanted.ravel())[0, 1] > 0.97


@given(st.floats(-80, 80), st.floats(-1, 1), st.integers(1, 60), st.integers(1, 200))
def test_fitted_corners_span_the_canvas(degrees, factor, height, width):
    pixels = np.zeros((height, width), np.uint8)
    matrix = geometry.fitted(geometry.rotation(degrees) @ geometry.shear_x(factor), pixels)
    places = (matrix @ geometry.corners(pixels))[:2]
    assert places.min(1) == pytest.approx([0, 0], abs=1e-6)
    assert places.max(1) == pytest.approx([width, height], abs=1e-6)


def test_a_perspective_maps_corners_to_the_given_points():
    pixels = image((30, 70))
    wanted = geometry.corners(pixels)[:2] + np.array([[3, -2, -5, 0], [1, 4, -6, -2]])
    matrix = geometry.perspective(pixels, wanted)
    mapped = matrix @ geometry.corners(pixels)
    assert mapped[:2] / mapped[2] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_pixel_moves_to_its_computed_position(channels):
    pixels = np.zeros((10, 20, *channels), np.uint8)
    pixels[4, 6] = 200

    def place(matrix):
        moved = geometry.warped(pixels, matrix, geometry.REPLICATE, "nearest")
        rows, columns = np.nonzero(moved.reshape(10, 20, -1).any(-1))
        return [*zip(rows.tolist(), columns.tolist(), strict=True)]

    assert place(geometry.translation(3, -2)) == [(2, 9)]
    # Row 4 has its center 4.5 below the edge, and is moved by 9; the pixel has its own at 6.5.
    assert place(geometry.shear_x(2)) == [(4, 15)]
    assert place(geometry.shear_y(-4 / 6.5)) == [(0, 6)]
    assert place(geometry.centered(geometry.rotation(180), pixels)) == [(5, 13)]
    # Counter-clockwise: pixels right of the middle move up.
    square = np.zeros((9, 9), np.uint8)
    square[4, 7] = 1
    turned = geometry.warped(
        square, geometry.centered(geometry.rotation(90), square), geometry.REPLICATE, "nearest"
    )
    assert turned[1, 4] == 1


def test_pixels_from_outside_are_the_border():
    pixels = np.full((8, 9, 3), (10, 20, 30), np.uint8)
    right = geometry.translation(4, 0)
    assert (geometry.warped(pixels, right, geometry.GRAY)[:, :3] == 128).all()
    for border in (geometry.REPLICATE, geometry.REFLECT, geometry.edge_color(pixels)):
        assert (geometry.warped(pixels, right, border) == pixels).all()


def test_an_edge_color_is_the_median_of_the_outermost_pixels():
    line = np.full((20, 300), 250, np.uint8)
    line[5:15, 3:] = 0  # Ink that touches the right edge.
    assert geometry.edge_color(line) == geometry.Border("constant", (250.0,))
    colored = np.stack([line, line // 2, line // 5], -1)
    assert geometry.edge_color(colored).value == (250, 125, 50)


@given(st.floats(-40, 40), st.floats(0.5, 2), st.floats(0.5, 2))
def test_a_centered_transform_keeps_the_center(degrees, x, y):
    pixels = np.zeros((31, 64), np.uint8)
    matrix = geometry.centered(geometry.rotation(degrees) @ geometry.scaling(x, y), pixels)
    assert matrix @ [32, 15.5, 1] == pytest.approx([32, 15.5, 1])
    assert np.linalg.det(matrix) == pytest.approx(x * y)


def test_a_rotation_has_its_angle():
    x, y, _ = geometry.rotation(30) @ [1, 0, 1]
    assert (x, y) == pytest.approx((math.cos(math.pi / 6), -0.5))

"""Decoding of images of any content."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bench.data.inputs import images
from bench.data.raw.entries import SampleError

from ..conftest import jpeg

sides = st.integers(1, 40)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_red_is_first_and_gray_is_weighted_luminance(kind: str) -> None:
    red = encoded(Image.new("RGB", (24, 16), (255, 0, 0)), kind)
    assert images.decode_image(red, 3).shape == (16, 24, 3)
    assert np.abs(images.decode_image(red, 3)[8, 12].astype(int) - [255, 0, 0]).max() < 3
    assert images.decode_image(red, 1).shape == (16, 24)
    assert abs(int(images.decode_image(red, 1)[8, 12]) - 76) < 3


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16"])
def test_every_mode_becomes_bytes_of_the_requested_channels(mode: str) -> None:
    content = encoded(Image.new(mode, (7, 5)), "PNG")
    assert images.image_size(content) == images.Size(7, 5)
    for channels, shape in ((1, (5, 7)), (3, (5, 7, 3))):
        found = images.decode_image(content, channels)
        assert (found.shape, found.dtype) == (shape, np.uint8)


GRAY = np.zeros((8, 12), np.uint8)
GRAY[2:6, 3:9] = 200
NONE = np.zeros_like(GRAY)
PALETTE = Image.fromarray((GRAY > 0).astype(np.uint8))
PALETTE.putpalette([0] * 768)
ON_WHITE = np.where(GRAY > 0, 0, 255)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(Image.fromarray(np.dstack([NONE, GRAY])), "PNG"), 255 - GRAY),
        (encoded(Image.fromarray(np.dstack([NONE] * 3 + [GRAY])), "PNG"), 255 - GRAY),
        (
            encoded(
                Image.fromarray(np.dstack([NONE] * 3 + [GRAY])), "WEBP", lossless=True, exact=True
            ),
            255 - GRAY,
        ),
        (encoded(Image.fromarray(np.dstack([NONE] * 3 + [GRAY])), "TIFF"), 255 - GRAY),
        (encoded(PALETTE, "PNG", transparency=0), ON_WHITE),
        (encoded(PALETTE, "GIF", transparency=0), ON_WHITE),
        (
            encoded(
                Image.fromarray(np.dstack([np.where(GRAY > 0, 0, 9).astype(np.uint8)] * 3)),
                "PNG",
                transparency=(9, 9, 9),
                icc_profile=np.random.default_rng(0).bytes(5000),
            ),
            ON_WHITE,
        ),
        (encoded(Image.fromarray(GRAY.astype(np.uint16)), "PNG"), GRAY),
        (encoded(Image.fromarray(GRAY.astype(np.uint16)), "TIFF"), GRAY),
        (encoded(Image.fromarray(GRAY.astype(np.uint16) * 16), "PNG"), GRAY),
        (b"P5\n12 8\n65535\n" + GRAY.astype(">u2").tobytes(), GRAY),
        (cv2.imencode(".png", np.dstack([GRAY.astype(np.uint16)] * 3))[1].tobytes(), GRAY),
    ],
    ids=[
        *("gray-alpha", "alpha", "webp", "tiff", "palette", "gif", "color-key"),
        *("16-bit", "16-bit-tiff", "12-bit", "16-bit-pgm", "16-bit-color"),
    ],
)
def test_an_image_is_not_read_as_one_flat_color(
    content: bytes, expected: NDArray[np.uint8]
) -> None:
    np.testing.assert_array_equal(images.decode_image(content, 1), expected)
    np.testing.assert_array_equal(images.decode_image(content, 3), np.dstack([expected] * 3))


@pytest.mark.parametrize("seed", range(3))
def test_8_bit_pixels_equal_those_of_opencv(seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, 256, (9, 13, 4), np.uint8)
    opaque = drawn.copy()
    opaque[..., 3] = 255
    unused = drawn.copy()
    unused[..., 3] = 0
    pictures = [
        *(Image.fromarray(each) for each in (drawn[..., 0], drawn[..., :3], opaque, unused)),
        Image.fromarray(drawn[..., 0].astype(np.uint16) * 257),
        Image.fromarray(drawn[..., :3]).quantize(16),
        Image.fromarray(drawn[..., 0] > 99),
    ]
    contents = [encoded(each, "PNG") for each in pictures]
    contents += [encoded(pictures[1], kind) for kind in ("JPEG", "BMP", "TIFF", "WEBP", "PPM")]
    for content in contents:
        buffer = np.frombuffer(content, np.uint8)
        for channels, mode in ((1, cv2.IMREAD_GRAYSCALE), (3, cv2.IMREAD_COLOR_RGB)):
            plain = cv2.imdecode(buffer, mode | cv2.IMREAD_IGNORE_ORIENTATION)
            np.testing.assert_array_equal(images.decode_image(content, channels), plain)


def test_the_orientation_tag_is_ignored() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    content = encoded(Image.new("RGB", (20, 10)), "JPEG", exif=turned)
    assert images.image_size(content) == (20, 10)


def test_a_memoryview_is_decoded_like_bytes() -> None:
    np.testing.assert_array_equal(
        images.decode_image(memoryview(jpeg(1)), 3), images.decode_image(jpeg(1), 3)
    )


@settings(max_examples=50)
@given(st.integers(0, len(jpeg(1)) - 1))
def test_a_truncated_jpeg_is_refused(end: int) -> None:
    with pytest.raises(
        SampleError, match="an empty image file" if not end else "cannot be decoded"
    ):
        images.decode_image(jpeg(1)[:end], 1)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_a_file_that_is_not_an_image_is_refused(content: bytes) -> None:
    with pytest.raises(SampleError):
        images.image_size(content)


@settings(max_examples=50)
@given(sides, sides, sides, sides, st.sampled_from([(), (3,)]), st.integers(0, 9))
def test_scaled_pixels_stay_within_the_range_of_the_image(
    rows: int, columns: int, height: int, width: int, colours: tuple[int, ...], seed: int
) -> None:
    drawn = np.random.default_rng(seed).integers(0, 256, (rows, columns, *colours), np.uint8)
    found = images.resize_pixels(drawn, width, height)
    assert (found.shape, found.dtype) == ((height, width, *colours), np.uint8)
    assert found.min() >= drawn.min()
    assert found.max() <= drawn.max()


def test_shrinking_averages_areas() -> None:
    fine = np.random.default_rng(0).integers(0, 256, (8, 12), np.uint8)
    mean = fine.reshape(4, 2, 6, 2).mean((1, 3))
    assert np.abs(images.resize_pixels(fine, 6, 4) - mean).max() <= 0.5


def test_enlarging_interpolates_between_neighbors() -> None:
    ramp = np.arange(0, 100, 10, np.uint8)[None].repeat(4, 0)
    found = images.resize_pixels(ramp, 40, 8)
    assert (np.diff(found.astype(int), axis=1) >= 0).all()
    assert len(np.unique(found)) > len(np.unique(ramp))


@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 3)])
def test_an_encoded_jpeg_is_decoded_again(shape: tuple[int, ...]) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    smooth = np.asarray(cv2.GaussianBlur(drawn, (9, 9), 0), np.uint8)
    found = images.decode_image(images.encode_jpeg(smooth, 100), len(shape[2:]) * 2 + 1)
    assert np.abs(found.astype(int) - smooth).mean() < 4

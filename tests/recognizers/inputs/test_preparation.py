"""Preparation of images, compared with Pillow, OpenCV and the inputs of bench."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.core.errors import BenchError
from bench.core.model_input import ImageInput
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.inputs.preparation import prepare_images
from bench.recognizers.inputs.reader_input import PRESETS, ReaderInput, input_of_training


def picture(width, height, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, 3), np.uint8)


def encoded(pixels, kind="PNG", name="word"):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return EncodedSample(name, (out.getvalue(),))


def prepared(how, *samples):
    return list(prepare_images(samples, how))


def only(how, *samples):
    [group] = prepared(how, *samples)
    return group


def test_a_preset_of_pillow_equals_scaling_by_pillow():
    sample = encoded(picture(50, 20), "JPEG")
    image = Image.open(io.BytesIO(sample.images[0]))
    gray = np.asarray(image.convert("L").resize((100, 32), Image.Resampling.BICUBIC), np.float32)
    np.testing.assert_array_equal(only(PRESETS["clovaai"], sample).images[0, 0], gray / 127.5 - 1)
    color = np.asarray(image.convert("RGB").resize((128, 32), Image.Resampling.BICUBIC))
    expected = color.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_array_equal(only(PRESETS["parseq"], sample).images[0], expected)


def test_pp_ocr_keeps_the_ratio_pads_with_zero_and_reads_blue_first():
    sample = encoded(picture(50, 20))
    group = only(PRESETS["pp-ocr"], sample)
    assert group.images.shape == (1, 3, 48, 320)
    assert group.columns.tolist() == [120]
    pixels = cv2.imdecode(np.frombuffer(sample.images[0], np.uint8), cv2.IMREAD_COLOR)
    scaled = cv2.resize(pixels, (120, 48)).transpose(2, 0, 1)
    expected = (scaled.astype(np.float32) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(group.images[0, :, :, :120], expected, atol=1e-6)
    assert not group.images[..., 120:].any()


def test_a_wide_word_does_not_change_the_padding_of_others():
    narrow, wide = encoded(picture(50, 20)), encoded(picture(400, 20))
    groups = prepared(PRESETS["pp-ocr"], narrow, wide, narrow)
    assert [(group.indices, group.images.shape[3]) for group in groups] == [
        ([0, 2], 320),
        ([1], 960),
    ]
    np.testing.assert_array_equal(groups[0].images[:1], only(PRESETS["pp-ocr"], narrow).images)


def test_a_batch_can_be_padded_to_its_widest_and_to_a_multiple():
    how = ReaderInput(height=10, color="gray", pad="edge", pad_to="batch", multiple=8)
    group = only(how, encoded(picture(13, 10)), encoded(picture(21, 10)))
    assert group.images.shape == (2, 1, 10, 24)
    assert group.columns.tolist() == [13, 21]
    np.testing.assert_array_equal(
        group.images[0, 0, :, 13:], np.repeat(group.images[0, 0, :, 12:13], 11, 1)
    )


@pytest.mark.parametrize(
    ("width", "size"), [(10, (64, 64)), (44, (48, 96)), (70, (32, 128)), (999, (32, 128))]
)
def test_sizes_are_chosen_by_the_ratio(width, size):
    how = ReaderInput(sizes=((64, 64), (48, 96), (40, 112), (32, 128)))
    assert only(how, encoded(picture(width, 20))).images.shape[2:] == size


@pytest.mark.parametrize(("rounding", "width"), [("up", 34), ("nearest", 33)])
def test_widths_are_rounded_up_or_to_the_nearest(rounding, width):
    how = ReaderInput(height=32, color="gray", rounding=rounding)
    assert only(how, encoded(picture(50, 48))).images.shape[3] == width


@pytest.mark.parametrize(
    ("scaling", "black", "white"),
    [("signed", -1, 1), ("unit", 0, 1), ("centered", -0.5, 0.5), ("raw", 0, 255)],
)
@pytest.mark.parametrize("pad", ["black", "white", 0, 255])
def test_padding_is_scaled_as_pixels_are(scaling, black, white, pad):
    how = ReaderInput(height=4, width=9, keep_ratio=True, color="gray", scaling=scaling, pad=pad)
    value = only(how, encoded(picture(4, 4))).images[0, 0, 0, -1]
    assert value == (black if pad in {"black", 0} else white)


def test_imagenet_scales_red_by_the_mean_of_red_in_either_order():
    sample = encoded(np.full((32, 32, 3), (255, 0, 0), np.uint8))
    red = [only(ReaderInput(color=color, scaling="imagenet"), sample) for color in ("rgb", "bgr")]
    first, last = red[0].images[0, 0], red[1].images[0, 2]
    np.testing.assert_allclose(first, (1 - 0.485) / 0.229, rtol=1e-5)
    np.testing.assert_array_equal(first, last)


@pytest.mark.parametrize(
    "model_input",
    [
        ImageInput(),
        ImageInput(width=128, color=True, normalization="imagenet"),
        ImageInput(width=100, keep_ratio=True),
        ImageInput(height=64, width=0, normalization="unit", margin=(4, 8)),
    ],
)
def test_the_input_of_a_training_is_prepared_as_in_training(model_input):
    class Reference:
        """A sample with its pixels."""

        def __init__(self, sample):
            self.partition, self.row, self.sample = self, 0, sample

        def pixels(self, row, channels):  # noqa: ARG002
            return self.sample.pixels(channels)

        def decoded(self, shape):  # noqa: ARG002
            return None

    samples = [encoded(picture(50, 20)), encoded(picture(190, 41, 1))]
    transform = ImageTransform(model_input)
    stored, lengths = transform.read([Reference(sample) for sample in samples], None)
    group = only(input_of_training(model_input), *samples)
    np.testing.assert_allclose(group.images, transform.finish(stored).numpy(), atol=1e-6)
    if model_input.keep_ratio or not model_input.width:
        assert group.columns.tolist() == lengths.tolist()


@pytest.mark.parametrize("library", ["pillow", "opencv"])
@pytest.mark.parametrize("content", [b"", b"no image", encoded(picture(9, 9)).images[0][:60]])
def test_an_image_that_cannot_be_decoded_is_named(library, content):
    with pytest.raises(BenchError, match="sample 'w7' is an"):
        prepared(ReaderInput(library=library), EncodedSample("w7", (content,)))


def test_an_image_with_too_many_pixels_is_an_error_before_it_is_decoded():
    header = bytearray(encoded(picture(9, 9)).images[0])
    import struct
    import zlib

    header[16:24] = struct.pack(">II", 9000, 9000)
    header[29:33] = struct.pack(">I", zlib.crc32(bytes(header[12:29])))
    with pytest.raises(BenchError, match="an image of more than 67,108,864 pixels"):
        prepared(ReaderInput(), EncodedSample("w7", (bytes(header),)))

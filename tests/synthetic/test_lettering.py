import cv2
import numpy as np
import pytest

from bench.synthetic import faces
from bench.synthetic.lettering import Lettering

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.fixture
def lettering():
    return Lettering(np.random.default_rng(0))


def test_ink_is_lighter_or_darker_than_its_ground_and_never_equal(lettering):
    contrasts = []
    for _ in range(200):
        ground, ink, _ = (tone.ravel() @ [0.114, 0.587, 0.299] for tone in lettering._tones())
        contrasts.append(ink - ground)
    assert min(map(abs, contrasts)) > 50
    assert 60 < sum(contrast > 0 for contrast in contrasts) < 140


def test_words_fill_their_image(lettering):
    for word in ("Wig", "gypsyjellyfish", "24h") * 20:
        picture = lettering._warp(lettering._draw_word(word))
        assert picture.shape[0] in {31, 32}
        inked = picture > 64
        assert inked.any(0).mean() > 0.4
        assert inked.any(1).mean() > 0.5


def test_a_very_long_word_is_drawn_completely(lettering):
    longest = max((lettering.picture("W" * 23) for _ in range(20)), key=lambda p: p.shape[1])
    assert longest.shape[1] > 640
    assert longest.dtype == np.uint8


@pytest.mark.parametrize("face", [face for family in faces.families() for face in family])
def test_every_face_has_every_letter(face):
    drawn = {letter: faces.glyphs_of(face)[letter] for letter in LETTERS}
    for letter, glyph in drawn.items():
        assert glyph.mask.max() > 200, letter
        assert glyph.advance > 0
    pictures = {glyph.mask.tobytes() for glyph in drawn.values()}
    assert len(pictures) == len(LETTERS)


def test_without_the_typefaces_of_opencv_5_the_others_are_left(monkeypatch):
    monkeypatch.delattr(cv2, "FontFace")
    left = faces.families.__wrapped__()
    assert left == tuple(
        family for family in faces.families() if not isinstance(family[0], faces.OpenCVFace)
    )


def test_letters_have_tracking_and_rises():
    face = faces.Pen(3.0)
    flat, apart = (faces.draw_word(face, "nnnn", gap, [0] * 4) for gap in (0, 10))
    assert apart.shape == (flat.shape[0], flat.shape[1] + 30)
    risen = faces.draw_word(face, "nnnn", 0, [0, 4, 7, -2])
    assert risen.shape == (flat.shape[0] + 9, flat.shape[1])

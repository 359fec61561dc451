import numpy as np
import pytest

from bench.synthetic.handwriting import Hand, line_length, write_line
from bench.synthetic.skeletons import CHARACTERS, skeleton
from bench.synthetic.vocabulary import Token


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_there_is_a_skeleton_for_each_character_of_iam():
    assert len(CHARACTERS) == 79
    shapes = [[stroke.points.tolist() for stroke in skeleton(c).strokes] for c in CHARACTERS]
    assert all(shape not in shapes[:place] for place, shape in enumerate(shapes))
    assert skeleton("a").strokes[0] is not skeleton("a", printed=True).strokes[0]


def test_boxes_contain_all_ink_and_none_is_empty(rng):
    tokens = [Token("Mr."), Token("Gaitskell"), Token(",", glued=True), Token("42")]
    for _ in range(20):
        image, boxes = write_line(tokens, Hand.draw(rng), rng)
        ink = image < image.max() - 30
        assert len(boxes) == len(tokens)
        for x, y, width, height in boxes:
            assert ink[y : y + height, x : x + width].any()
        for x, y, width, height in boxes:
            ink[y : y + height, x : x + width] = False
        assert not ink.any()


def test_the_length_of_a_line_is_estimated(rng):
    tokens = [*map(Token, ("five", "boxing", "wizards", "jump", "quickly", "at", "dawn"))]
    for _ in range(20):
        hand = Hand.draw(rng)
        found = write_line(tokens, hand, rng).image.shape[1]
        assert found == pytest.approx(line_length(tokens, hand), rel=0.12)


def test_no_two_lines_are_equal(rng):
    hand = Hand.draw(rng)
    first, second = (write_line([Token("same")], hand, rng).image for _ in range(2))
    assert first.shape != second.shape or (first != second).any()

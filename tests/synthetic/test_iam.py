import html
import re
from collections import Counter
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from bench import synthetic
from bench.core.errors import BenchError
from bench.data.datasets.line_splits import line_splits
from bench.synthetic.vocabulary import sentences

SYMBOLS = " !\"#&'()*+,-./:;?"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("iam")
    synthetic.generate_dataset("iam", out, 60)
    return out


@pytest.fixture(scope="module")
def rows(root):
    lines = (root / "ascii" / "lines.txt").read_text().splitlines()
    assert lines[0].startswith("#")
    return [line.split(" ") for line in lines if not line.startswith("#")]


def pixels(file):
    with Image.open(file) as image:
        assert image.mode == "L"
        return np.asarray(image)


def form_of(row):
    return row[0].rpartition("-")[0]


def test_lines_are_divided_over_the_forms_of_every_split(rows):
    sizes = Counter(map(line_splits("rwth-6482").get, (row[0] for row in rows)))
    assert sizes == {"train": 37, "validation": 6, "test": 17}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert max(Counter(map(form_of, rows)).values()) <= 9


def test_a_row_has_id_status_gray_components_box_and_words(rows):
    for row in rows:
        assert len(row) == 9
        assert re.fullmatch(r"[a-r]\d\d-\d{3}[a-z]?-\d\d", row[0])
        assert row[1] in {"ok", "err"}
        assert 64 < int(row[2]) < 200
        assert int(row[3]) == len(row[8].split("|"))
    assert {row[1] for row in rows} == {"ok", "err"}


def test_line_images_equal_their_box_on_the_page(root, rows):
    for row in rows:
        x, y, width, height = map(int, row[4:8])
        form = form_of(row)
        line = pixels(root / "lines" / form.partition("-")[0] / form / f"{row[0]}.png")
        assert line.shape == (height, width)
        assert 40 <= height <= 140
        assert 300 <= width <= 1900
        page = pixels(root / "forms" / f"{form}.png")
        np.testing.assert_array_equal(page[y : y + height, x : x + width], line)
        assert line.min() < int(row[2]) < line.max()
        # The box is tight: there is ink near each of its sides.
        inked = line < line.max() - 30
        for side in (inked[:6], inked[-6:], inked[:, :6], inked[:, -6:]):
            assert side.any()


def test_xml_has_the_boxes_of_the_words_and_the_text_of_lines(root, rows):
    for row in rows:
        form = ET.parse(root / "xml" / f"{form_of(row)}.xml")  # noqa: S314
        line = form.find(f".//handwritten-part/line[@id='{row[0]}']")
        words = [html.unescape(word.get("text")) for word in line.iter("word")]
        assert words == row[8].split("|")
        text = html.unescape(line.get("text"))
        assert text.replace(" ", "") == "".join(words)
        assert not re.search(r" [,.;:!?)]|\( |\s\s", text)
        assert all(c in SYMBOLS or (c.isascii() and c.isalnum()) for c in text)
        keys = ("x", "y", "width", "height")
        boxes = np.array([[int(cmp.get(key)) for key in keys] for cmp in line.iter("cmp")])
        corner = boxes[:, :2].min(0)
        far = (boxes[:, :2] + boxes[:, 2:]).max(0)
        assert [*corner, *(far - corner)] == [*map(int, row[4:8])]


def test_quotes_are_escaped_twice_as_in_the_real_files(root):
    found = "".join(file.read_text() for file in (root / "xml").iterdir())
    assert "&amp;quot;" in found
    assert "&quot;" not in found


def test_all_symbols_occur():
    rng = np.random.default_rng(0)
    spoken = sentences(rng)
    seen = {c for _ in range(500) for token in next(spoken) for c in token.text}
    assert seen >= {*SYMBOLS[1:], *"0123456789"}


def test_more_lines_than_the_forms_can_have_are_refused(tmp_path):
    with pytest.raises(BenchError, match="at most 15,587 lines; lower the count"):
        synthetic.generate_dataset("iam", tmp_path, 20_000)

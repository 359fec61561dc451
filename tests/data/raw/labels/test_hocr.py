"""hOCR: boxes and texts of lines, several pages in a file."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.data.raw.entries import Rejected
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.hocr import Hocr

BOX = "bbox 2 3 11 8"
PAGE = "<div class='ocr_page' title='image \"{}\"; bbox 0 0 40 30; ppageno 0'>{}</div>"


def scan(seed):
    pixels = np.random.default_rng(seed).integers(0, 200, (30, 40, 3), np.uint8)
    return pixels, cv2.imencode(".png", pixels)[1].tobytes()


def line(
    inside="<span class='ocrx_word'>two</span>\n <span>words</span>", kind="ocr_line", box=BOX
):
    return f"<span class='{kind}' id='l1' title='{box}; baseline 0 -1'>{inside}</span>"


def listed(write, *pages, name="p.hocr", head="", **files):
    body = "".join(pages)
    html = f"<!DOCTYPE html>\n<html><head>{head}</head><body>{body}</body></html>"
    images = {"p1.png": scan(1)[1], "p2.png": scan(2)[1]}
    data = open_data_folder(write({name: html} | images | files))
    return [row for labels in Hocr().find(data) for row in Hocr().rows(labels, data)]


def pixels(row):
    [content] = row.images.load()
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_a_line_is_a_box_and_the_words_in_it(write):
    [found] = listed(write, PAGE.format("p1.png", line()))
    assert (found.id, found.text, found.columns) == ("p/l1", "two words", {"page": "p.hocr"})
    assert (pixels(found) == scan(1)[0][3:9, 2:12]).all()


@pytest.mark.parametrize("kind", ["ocrx_line", "x ocr_header", "ocr_caption", "ocr_textfloat"])
def test_other_classes_of_lines(write, kind):
    assert len(listed(write, PAGE.format("p1.png", line(kind=kind)))) == 1


def test_several_pages_may_be_in_a_file(write):
    second = line(kind="ocr_line").replace("l1", "l2")
    one, two = listed(write, PAGE.format("p1.png", line()), PAGE.format("/x/p2.png", second))
    assert (pixels(one) == scan(1)[0][3:9, 2:12]).all()
    assert (pixels(two) == scan(2)[0][3:9, 2:12]).all()


def test_entities_of_html_and_elements_without_an_end(write):
    [found] = listed(write, PAGE.format("p1.png", line("a&amp;b<br>&eacute;\n<b>c")))
    assert found.text == "a&bé c"


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        (line(box="x"), "a line without a polygon"),
        (line(box="bbox 1 2 3"), "a line without a polygon"),
        (line(" \n "), "a line without a text"),
        (line().removesuffix("</span>"), "a line that does not end"),
    ],
)
def test_a_line_that_is_not_a_sample_is_rejected(write, inside, fault):
    assert listed(write, PAGE.format("p1.png", inside)) == [Rejected("p/l1", fault)]


def test_files_that_are_not_hocr_are_not_read(write):
    assert listed(write, line()) == []
    found = listed(write, PAGE.format("p1.png", line()), **{"q.html": b"ocr_page \xff"})
    assert found[1:] == [Rejected("q.html", "an hOCR file that is not UTF-8")]
    found = listed(write, PAGE.format("p1.png", line()), **{"q.html": b"ocr_page"})
    assert found[1:] == [Rejected("q.html", "an hOCR file without a page")]

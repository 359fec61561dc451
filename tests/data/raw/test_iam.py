"""Lines of IAM: both transcripts, lines and forms, and broken or hostile files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.data.inputs import images
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.iam import IamLines

from .conftest import png

LINES = """\
#--- lines.txt ---#
#
a01-000u-00 ok 154 19 4 7 16 8 A|MOVE|to|stop|"|Mr.
a01-000u-01 err 156 19 3 9 18 10 nominating|M Ps|&|peers
b04-010-00 ok 150 2 0 0 40 30 So
"""
DOCTYPE = '<!DOCTYPE form SYSTEM "http://www.iam.unibe.ch/~fki/iamdb/form-metadata.dtd">'


def xml(lines, doctype=DOCTYPE):
    """Return the XML of a form whose lines have these escaped texts."""
    written = "".join(
        f'<line id="{name}" segmentation="ok" text="{text}"><word text="no"/></line>'
        for name, text in lines.items()
    )
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n\n{doctype}\n<form id="x">'
        '<machine-printed-part><machine-print-line text="no"/></machine-printed-part>'
        f"<handwritten-part>{written}</handwritten-part></form>"
    ).encode("latin-1")


FORM = xml({"a01-000u-00": "A MOVE to stop &amp;quot;Mr.", "a01-000u-01": "caf\xe9 &amp;amp; tea"})
FILES = {
    "ascii/lines.txt": LINES,
    "xml/a01-000u.xml": FORM,
    "xml/b04-010.xml": xml({"b04-010-00": "So"}),
    "lines/a01/a01-000u/a01-000u-00.png": b"first",
    "lines/a01/a01-000u/a01-000u-01.png": b"",
}


def listed(root):
    return list(IamLines(root).entries("lines"))


def without(*beginnings):
    return {name: content for name, content in FILES.items() if not name.startswith(beginnings)}


def test_a_line_has_the_text_of_the_xml_and_that_of_lines_txt(write):
    layout = IamLines(write(FILES))
    assert (layout.parts, layout.columns) == (("lines",), ("ascii", "form", "status"))
    first, second, third = layout.entries("lines")
    assert (first.id, first.text) == ("a01-000u-00", 'A MOVE to stop "Mr.')
    assert first.more == {"ascii": 'A MOVE to stop " Mr.', "form": "a01-000u", "status": "ok"}
    assert second.text == "café & tea"
    assert second.more["ascii"] == "nominating M Ps & peers"
    assert second.more["status"] == "err"
    assert third.more["form"] == "b04-010"


def test_a_line_has_the_image_of_its_file(write):
    first, second, third = listed(write(FILES))
    assert first.load() == (b"first",)
    with pytest.raises(SampleError, match="an empty file"):
        second.load()
    with pytest.raises(SampleError, match="a file that is missing"):
        third.load()


@pytest.mark.parametrize("folder", ["forms", "formsA-D"])
def test_without_lines_they_are_cut_from_their_form(write, folder):
    page = png(30, 25)
    root = write(without("lines") | {f"{folder}/a01-000u.png": page})
    first, second, third = listed(root)
    [cut] = first.load()
    scan = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, scan[7:15, 4:20])
    assert second.load()
    with pytest.raises(SampleError, match="the scan of its form is a file that is missing"):
        third.load()


def test_a_form_is_decoded_once_for_all_threads(write, monkeypatch):
    decoded = []

    def spy(content, channels):
        decoded.append(content)
        return images_decoded(content, channels)

    images_decoded = images.decode_image
    monkeypatch.setattr(images, "decode_image", spy)
    rows = "".join(f"a01-000u-{n:02} ok 1 1 0 {9 * n} 900 9 w\n" for n in range(90))
    form = xml({f"a01-000u-{n:02}": "w" for n in range(90)})
    scan = {"forms/a01-000u.png": png(900, 810)}
    root = write({"ascii/lines.txt": rows, "xml/a01-000u.xml": form} | scan)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda entry: entry.load(), listed(root)))) == 90
    assert decoded == [*scan.values()]


@pytest.mark.parametrize("box", ["20 0 11 5", "0 0 0 5", "-1 -1 -1 -1", "0 21 5 5"])
def test_a_box_that_is_not_on_the_form_is_refused(write, box):
    rows = f"a01-000u-00 ok 154 19 {box} w\n"
    files = without("lines") | {"ascii/lines.txt": rows, "forms/a01-000u.png": png(30, 25)}
    [found] = listed(write(files))
    with pytest.raises(SampleError, match="a bounding box that is not within its form"):
        found.load()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("ascii", "no file ascii/lines.txt;"),
        ("xml", "no folder xml;"),
        ("lines", "no folder lines or forms;"),
        (("ascii", "lines"), "no file ascii/lines.txt, no folder lines or forms;"),
        (
            ("ascii", "lines", "xml"),
            "no file ascii/lines.txt, no folder xml, no folder lines or forms;",
        ),
    ],
)
def test_missing_parts_of_iam_are_reported(write, gone, said):
    with pytest.raises(BenchError, match=f"this is not all of IAM, because there is {said}"):
        IamLines(write(without(*([gone] if isinstance(gone, str) else gone)) | {"readme": ""}))


@pytest.mark.parametrize("named", ["", "lines", "lines/a01", "xml"])
def test_a_folder_within_iam_may_be_named(write, named):
    assert len(listed(write(FILES) / named)) == 3


def test_lines_txt_may_be_beside_the_folders(write):
    assert len(listed(write(without("ascii") | {"lines.txt": LINES}))) == 3


def test_a_row_that_is_not_a_line_is_named_by_its_number(write):
    rows = ["a01-000u-00 ok 154 19 4 7 16 8", "../../x-00 ok 1 1 1 1 1 1 w", "junk", ""]
    found = listed(write(FILES | {"ascii/lines.txt": "\n".join(rows)}))
    assert found == [
        Rejected(f"lines.txt:{n}", "a row that is not a line of IAM") for n in (1, 2, 3)
    ]


NO_XML = "the XML of its form is a document that is not XML"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (xml({"a01-000u-01": "other"}), "no text in the XML of its form"),
        (xml({"a01-000u-00": ""}), "no text in the XML of its form"),
        (FORM[:300], NO_XML),
        (b"", "the XML of its form is an empty file"),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', NO_XML),
        (b'<?xml version="1.0" encoding="base64"?><a/>', NO_XML),
    ],
)
def test_a_line_without_a_text_is_rejected_with_the_reason(write, document, reason):
    found = listed(write(FILES | {"xml/a01-000u.xml": document}))
    assert found[0] == Rejected("a01-000u-00", reason)
    assert found[2].text == "So"


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "bomb" * 100}">' for n in range(12))


@pytest.mark.parametrize(
    "declared", [BOMB, '<!ENTITY e11 SYSTEM "file:///etc/passwd">', '<!ENTITY % e11 "x"> %e11;']
)
def test_entities_are_neither_expanded_nor_read(write, declared):
    document = xml({"a01-000u-00": "&e11;"}, f"<!DOCTYPE form [{declared}]>")
    first, *_ = listed(write(FILES | {"xml/a01-000u.xml": document}))
    reason = "the XML of its form is a document that declares entities"
    assert first == Rejected("a01-000u-00", reason)


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (lambda place: place.write_text(""), 2, "lines.txt lists no line; copy it"),
        (lambda place: place.write_text("#\n"), 2, "lines.txt lists no line; copy it"),
        (lambda place: place.mkdir(), 2, "there is no file ascii/lines.txt"),
        (os.mkfifo, 2, "there is no file ascii/lines.txt"),
        (lambda place: place.write_bytes(b"\xff\xfe\x00"), 5, "1 were rejected"),
    ],
    ids=["empty", "comments", "folder", "pipe", "half a character"],
)
def test_a_list_without_lines_is_an_error(tmp_path, write, bench, make, code, message):
    root = write(without("ascii"))
    (root / "ascii").mkdir()
    make(root / "ascii" / "lines.txt")
    answer = bench(
        "--data", str(tmp_path / "data"), "data", "prepare", "iam", "--source", str(root)
    )
    assert answer.code == code
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_a_text_with_a_line_break_is_rejected(write):
    form = xml({"a01-000u-00": "A MOVE&amp;#10;to", "a01-000u-01": "caf\xe9"})
    first, second, _ = listed(write(FILES | {"xml/a01-000u.xml": form}))
    assert first == Rejected("a01-000u-00", "a text with control characters in the XML of its form")
    assert second.text == "café"

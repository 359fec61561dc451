"""Synthetic handwritten lines in the files of IAM: lists, XML, line images and pages.

Form ids are those of IAM, so that its splits can be used.

Source of the files: Marti and Bunke, "The IAM-database: an English sentence database for offline
handwriting recognition" (IJDAR 2002).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO
from xml.etree import ElementTree as ET

import numpy as np

from bench.core.errors import BenchError
from bench.data.datasets import line_splits as splits
from bench.synthetic.handwriting import Box, Hand, Line, line_length, write_line
from bench.synthetic.job import Job, divide_samples, write_png
from bench.synthetic.randomness import happens
from bench.synthetic.vocabulary import Token, sentences

_SPLIT = "rwth-6482"
"""The division whose forms are written."""
_LINES, _MAX_LINES = 9, 13
"""The usual and the largest number of lines per page."""
_WIDTH, _TOP, _PITCH = 2479, 160, 170
"""The width of a page, its upper margin, and the distance of lines, in pixels."""
_MAX_LINE_LENGTH = 1750
"""The largest planned length of a line in pixels; random spacing may exceed it slightly."""
_WRONG_SHARE = 0.12
"""The share of lines whose segmentation into words is marked as wrong; their text is correct."""
_HEADER = """\
#--- lines.txt --- rendered by bench in the layout of the IAM database ---
#
# a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
#
# line id, ok or err for its segmentation into words, grey level to tell ink from paper, number of
# components, bounding box as x y w h, and the words with | between them
#
"""


class PlacedLine(NamedTuple):
    """A line on a page.

    Attributes:
        id: The id of the line.
        tokens: Its words and marks.
        drawn: Its image, and the boxes of its tokens.
        right: Whether its segmentation is marked as correct.
        threshold: The gray level between ink and paper.
        x: The left edge on the page in pixels.
        y: The upper edge on the page in pixels.
    """

    id: str
    tokens: Sequence[Token]
    drawn: Line
    right: bool
    threshold: int
    x: int
    y: int


def write(job: Job) -> None:
    """Write lines by form id, and one page and one XML file per form."""
    out, rng = job.out, job.rng
    sizes = dict(sorted(_lines_per_form(job)))
    for folder in ("ascii", "forms", "lines", "xml"):
        (out / folder).mkdir()
    text = sentences(rng)
    with (out / "ascii" / "lines.txt").open("w") as rows:
        rows.write(_HEADER)
        for writer, (form, size) in enumerate(sizes.items()):
            hand = Hand.draw(rng)
            page = [
                _write_on_page(f"{form}-{number:02}", number, line, hand, rng)
                for number, line in enumerate(_break_lines(text, size, hand, rng))
            ]
            _write_images(out, form, page, hand, rows)
            _write_xml(out / "xml" / f"{form}.xml", form, f"{writer:03}", page)
            job.advance(size)


def _lines_per_form(job: Job) -> Iterator[tuple[str, int]]:
    """Yield the forms to write and their numbers of lines, in proportion to the splits."""
    forms: dict[str, list[str]] = {}
    for form, split in splits.line_splits(_SPLIT).forms.items():
        forms.setdefault(split, []).append(form)
    shares = {part: len(those) for part, those in forms.items()}
    capacity = _MAX_LINES * sum(shares.values())
    if job.count > capacity:
        raise BenchError(
            f"synthetic iam: its forms have at most {capacity:,} lines; lower the count"
        )
    for part, lines in divide_samples(job, shares).items():
        used = forms[part][: -(-lines // _LINES)]
        base, extra = divmod(lines, len(used))
        for number, form in enumerate(used):
            yield form, base + (number < extra)


def _break_lines(
    text: Iterator[list[Token]], size: int, hand: Hand, rng: np.random.Generator
) -> Iterator[list[Token]]:
    """Yield `size` lines of running text, each as long as fits in this handwriting."""
    remaining: list[Token] = []
    for _ in range(size):
        max_length = _MAX_LINE_LENGTH * rng.uniform(0.7, 1)
        while line_length(remaining, hand) <= max_length:
            remaining += next(text)
        breaks = [n for n, token in enumerate(remaining) if n and not token.glued]
        end = max(
            (n for n in breaks if line_length(remaining[:n], hand) <= max_length), default=breaks[0]
        )
        yield remaining[:end]
        remaining = remaining[end:]


def line_text(tokens: Sequence[Token]) -> str:
    """Return the text of a line, with punctuation marks attached to words."""
    return "".join(token.text if token.glued else f" {token.text}" for token in tokens).lstrip()


def _write_on_page(
    name: str, number: int, tokens: Sequence[Token], hand: Hand, rng: np.random.Generator
) -> PlacedLine:
    return PlacedLine(
        id=name,
        tokens=tokens,
        drawn=write_line(tokens, hand, rng),
        right=not happens(rng, _WRONG_SHARE),
        threshold=round((hand.ink + hand.paper) / 2),
        x=int(rng.integers(250, 420)),
        y=_TOP + number * _PITCH + int(rng.integers(20)),
    )


def _write_images(
    out: Path, form: str, page: Sequence[PlacedLine], hand: Hand, rows: TextIO
) -> None:
    """Write the images of a page and of its lines, and their rows of lines.txt."""
    folder = out / "lines" / form.partition("-")[0] / form
    folder.mkdir(parents=True)
    sheet = np.full((2 * _TOP + len(page) * _PITCH, _WIDTH), hand.paper, np.uint8)
    for line in page:
        height, width = line.drawn.image.shape
        sheet[line.y : line.y + height, line.x : line.x + width] = line.drawn.image
        write_png(folder / f"{line.id}.png", line.drawn.image)
        state = "ok" if line.right else "err"
        box = f"{line.x} {line.y} {width} {height}"
        words = "|".join(token.text for token in line.tokens)
        rows.write(f"{line.id} {state} {line.threshold} {len(line.tokens)} {box} {words}\n")
    write_png(out / "forms" / f"{form}.png", sheet)


def _write_xml(file: Path, form: str, writer: str, page: Sequence[PlacedLine]) -> None:
    """Write the XML file of a form; as in IAM, quotes are escaped twice."""
    height = str(2 * _TOP + len(page) * _PITCH)
    root = ET.Element(
        "form", {"id": form, "writer-id": writer, "height": height, "width": str(_WIDTH)}
    )
    part = ET.SubElement(root, "handwritten-part")
    for line in page:
        attributes = {
            "id": line.id,
            "segmentation": "ok" if line.right else "err",
            "text": _escaped(line_text(line.tokens)),
            "threshold": str(line.threshold),
        }
        element = ET.SubElement(part, "line", attributes)
        words = zip(line.tokens, line.drawn.boxes, strict=True)
        for number, (token, box) in enumerate(words):
            name = {"id": f"{line.id}-{number:02}", "text": _escaped(token.text)}
            word = ET.SubElement(element, "word", name)
            ET.SubElement(word, "cmp", _page_box(box, line))
    ET.indent(root)
    ET.ElementTree(root).write(file, encoding="ISO-8859-1", xml_declaration=True)


def _escaped(text: str) -> str:
    return text.replace('"', "&quot;")


def _page_box(box: Box, line: PlacedLine) -> dict[str, str]:
    """Return the XML attributes of a box on the page."""
    x, y = str(box.x + line.x), str(box.y + line.y)
    return {"x": x, "y": y, "width": str(box.width), "height": str(box.height)}

"""Handwritten lines in the tree of the IAM database: its lists, XML, line images and pages.

Marti and Bunke, "The IAM-database: an English sentence database for offline handwriting
recognition" (2002). Form ids are real ones, so that the splits of lines that are in use apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO
from xml.etree import ElementTree as ET

import numpy as np

from bench.core.errors import BenchError
from bench.data.datasets import line_splits as splits
from bench.synthetic.handwriting import Box, Hand, Line, length, write_line
from bench.synthetic.job import Job, spread, write_png
from bench.synthetic.randomness import happens
from bench.synthetic.vocabulary import Token, sentences

_SPLIT = "rwth-6482"
"""In the folder `datasets`: a row such as `train a01-000u` for each form."""
_LINES, _MOST = 9, 13
"""Lines on a usual page, and on a full one."""
_WIDTH, _TOP, _PITCH = 2479, 160, 170
"""A page's width, its upper margin, and from one line to the next, in pixels."""
_LONGEST = 1750
"""How long a line may be, in pixels; chance adds a few."""
_WRONG = 0.12
"""The share of lines whose segmentation into words is marked as wrong; their text is right."""
_HEADER = """\
#--- lines.txt --- rendered by bench in the layout of the IAM database ---
#
# a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
#
# line id, ok or err for its segmentation into words, grey level to tell ink from paper, number of
# components, bounding box as x y w h, and the words with | between them
#
"""


class Written(NamedTuple):
    """A line on a page: its id, its tokens, what it looks like, and where it is."""

    id: str
    tokens: Sequence[Token]
    drawn: Line
    right: bool
    threshold: int
    x: int
    y: int


def write(job: Job) -> None:
    """Write lines by form id, and a page and an XML file for each form."""
    out, rng = job.out, job.rng
    sizes = dict(sorted(_sizes(job)))
    for folder in ("ascii", "forms", "lines", "xml"):
        (out / folder).mkdir()
    text = sentences(rng)
    with (out / "ascii" / "lines.txt").open("w") as rows:
        rows.write(_HEADER)
        for writer, (form, size) in enumerate(sizes.items()):
            hand = Hand.draw(rng)
            page = [
                _written(f"{form}-{number:02}", number, line, hand, rng)
                for number, line in enumerate(_broken(text, size, hand, rng))
            ]
            _store(out, form, page, hand, rows)
            _describe(out / "xml" / f"{form}.xml", form, f"{writer:03}", page)
            job.advance(size)


def _sizes(job: Job) -> Iterator[tuple[str, int]]:
    """Yield the forms to write, each with its number of lines, of every split in proportion."""
    forms: dict[str, list[str]] = {}
    for form, split in splits.line_splits(_SPLIT).forms.items():
        forms.setdefault(split, []).append(form)
    shares = {part: len(those) for part, those in forms.items()}
    room = _MOST * sum(shares.values())
    if job.count > room:
        raise BenchError(f"synthetic iam: its forms have room for {room:,} lines; ask for fewer")
    for part, lines in spread(job, shares).items():
        used = forms[part][: -(-lines // _LINES)]
        least, more = divmod(lines, len(used))
        for place, form in enumerate(used):
            yield form, least + (place < more)


def _broken(
    text: Iterator[list[Token]], size: int, hand: Hand, rng: np.random.Generator
) -> Iterator[list[Token]]:
    """Yield `size` lines of running text, each as long as has room in that hand."""
    left: list[Token] = []
    for _ in range(size):
        room = _LONGEST * rng.uniform(0.7, 1)
        while length(left, hand) <= room:
            left += next(text)
        breaks = [n for n, token in enumerate(left) if n and not token.glued]
        end = max((n for n in breaks if length(left[:n], hand) <= room), default=breaks[0])
        yield left[:end]
        left = left[end:]


def natural(tokens: Sequence[Token]) -> str:
    """Return the text of a line as one writes it, marks next to their words."""
    return "".join(token.text if token.glued else f" {token.text}" for token in tokens).lstrip()


def _written(
    name: str, number: int, tokens: Sequence[Token], hand: Hand, rng: np.random.Generator
) -> Written:
    return Written(
        id=name,
        tokens=tokens,
        drawn=write_line(tokens, hand, rng),
        right=not happens(rng, _WRONG),
        threshold=round((hand.ink + hand.paper) / 2),
        x=int(rng.integers(250, 420)),
        y=_TOP + number * _PITCH + int(rng.integers(20)),
    )


def _store(out: Path, form: str, page: Sequence[Written], hand: Hand, rows: TextIO) -> None:
    """Write the images of a page and of its lines, and their rows."""
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


def _describe(file: Path, form: str, writer: str, page: Sequence[Written]) -> None:
    """Write the XML of a form; as in the real one, quotes are escaped twice."""
    height = str(2 * _TOP + len(page) * _PITCH)
    root = ET.Element(
        "form", {"id": form, "writer-id": writer, "height": height, "width": str(_WIDTH)}
    )
    part = ET.SubElement(root, "handwritten-part")
    for line in page:
        attributes = {
            "id": line.id,
            "segmentation": "ok" if line.right else "err",
            "text": _escaped(natural(line.tokens)),
            "threshold": str(line.threshold),
        }
        element = ET.SubElement(part, "line", attributes)
        words = zip(line.tokens, line.drawn.boxes, strict=True)
        for number, (token, box) in enumerate(words):
            name = {"id": f"{line.id}-{number:02}", "text": _escaped(token.text)}
            word = ET.SubElement(element, "word", name)
            ET.SubElement(word, "cmp", _placed(box, line))
    ET.indent(root)
    ET.ElementTree(root).write(file, encoding="ISO-8859-1", xml_declaration=True)


def _escaped(text: str) -> str:
    return text.replace('"', "&quot;")


def _placed(box: Box, line: Written) -> dict[str, str]:
    """Return the attributes of a box on its page."""
    x, y = str(box.x + line.x), str(box.y + line.y)
    return {"x": x, "y": y, "width": str(box.width), "height": str(box.height)}

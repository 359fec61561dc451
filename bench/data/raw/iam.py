"""Reader of the handwritten lines of IAM: images, and two transcripts per line.

Source: Marti and Bunke, "The IAM-database: an English sentence database for offline handwriting
recognition" (2002).
"""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected, SampleError

if TYPE_CHECKING:
    from bench.data.inputs.images import Pixels

_ASCII = ("ascii/lines.txt", "lines.txt")
_FORMS = ("forms", "formsA-D", "formsE-H", "formsI-Z")
_FOLDERS = {"folder xml": ("xml",), "folder lines or forms": ("lines", *_FORMS)}
"""The required folders beside the list of lines, each with its possible names."""
_NEEDED = ("file ascii/lines.txt", *_FOLDERS)

# a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop: a word may contain a space.
_ROW = re.compile(
    r"(?P<id>(?P<form>(?P<set>[a-z][0-9]{2})-[0-9]{3}[a-z]?)-[0-9]{2}) (?P<status>ok|err)"
    r" -?[0-9]+ -?[0-9]+ (?P<box>(?:-?[0-9]{1,6} ){4})(?P<words>.+)"
)

_WRITER = re.compile(rb"""<form\s[^>]*?\bwriter-id\s*=\s*["']([A-Za-z0-9._-]{1,60})["']""")


class IamLines:
    """All lines of lines.txt as one partition `lines`, from which a split selects.

    The text of a sample is that in the XML file of its form. `more` has the text of lines.txt
    (`ascii`, with a space between words), the form, and whether the segmentation into words is
    correct (`status`, ok or err). The image is that in the folder `lines`; without that folder, it
    is cut out of the scan of the form by the bounding box.
    """

    parts: Sequence[str] = ("lines",)
    columns: Sequence[str] = ("ascii", "form", "status")

    def __init__(self, source: Path) -> None:
        whole = tree.find_root(source, lambda folder: not _missing(folder))
        some = whole or tree.find_root(source, lambda folder: len(_missing(folder)) < len(_NEEDED))
        if whole is None:
            raise BenchError(
                f"{some or source}: this is not all of IAM, because there is no "
                f"{', no '.join(_missing(some) if some else _NEEDED)}; name the folder that has "
                "ascii, xml, and lines or forms, each unpacked to its own folder"
            )
        self._folder = whole
        self._annotation = next(whole / name for name in _ASCII if (whole / name).is_file())
        self._has_lines = (whole / "lines").is_dir()
        # Threads load lines of the same form at about the same time; a lock decodes it once.
        self._scan = lru_cache(8)(self._read_scan)
        self._locks: dict[str, threading.Lock] = {}

    def database(self, part: str) -> None:
        """Return None: the images are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:  # noqa: ARG002 (there is one)
        """Yield the lines in the order of lines.txt.

        Raises:
            BenchError: lines.txt cannot be read, or lists no line.
        """
        form, texts, fault, listed = "", dict[str, str](), "", False
        for number, row in enumerate(tree.read_lines(self._annotation), 1):
            if not row or row.startswith("#"):
                continue
            listed = True
            line = _ROW.fullmatch(row)
            if line is None or not tree.is_text(row):
                yield Rejected(
                    f"{self._annotation.name}:{number}", "a row that is not a line of IAM"
                )
                continue
            if line["form"] != form:
                form = line["form"]
                texts, fault = self._texts(form)
            text = texts.get(line["id"], "")
            if not text.isprintable():
                yield Rejected(line["id"], "a text with control characters in the XML of its form")
            elif text:
                yield self._entry(line, text)
            else:
                yield Rejected(line["id"], fault or "no text in the XML of its form")
        if not listed:
            raise BenchError(f"{self._annotation} lists no line; copy it from IAM again")

    def writers(self) -> dict[str, str]:
        """Return the writer of each form whose XML file has one."""
        writers = {}
        for file in sorted((self._folder / "xml").glob("*.xml")):
            try:
                match = _WRITER.search(tree.read_file(self._folder, f"xml/{file.name}"))
            except SampleError:
                continue  # the lines of the form are rejected
            if match:
                writers[file.stem] = match[1].decode()
        return writers

    def _texts(self, form: str) -> tuple[dict[str, str], str]:
        """Return the text of each line of a form, and the reason if there are none."""
        try:
            return form_texts(tree.read_file(self._folder, f"xml/{form}.xml")), ""
        except SampleError as error:
            return {}, f"the XML of its form is {error}"

    def _entry(self, line: re.Match[str], text: str) -> Entry:
        load: Callable[[], tuple[bytes]]
        if self._has_lines:
            name = f"lines/{line['set']}/{line['form']}/{line['id']}.png"
            load = partial(tree.read_encoded_image, self._folder, name)
        else:
            left, top, width, height = map(int, line["box"].split())
            load = partial(self._crop, line["form"], left, top, width, height)
        ascii_text = line["words"].replace("|", " ")
        more = {"ascii": ascii_text, "form": line["form"], "status": line["status"]}
        return Entry(line["id"], text, load, more)

    def _crop(self, form: str, left: int, top: int, width: int, height: int) -> tuple[bytes]:
        """Return a rectangle of the scan of a form as a PNG. Raises SampleError."""
        import cv2

        with self._locks.setdefault(form, threading.Lock()):
            scan = self._scan(form)
        rows, columns = scan.shape
        if not (0 <= left < left + width <= columns and 0 <= top < top + height <= rows):
            raise SampleError("a bounding box that is not within its form")
        return (cv2.imencode(".png", scan[top : top + height, left : left + width])[1].tobytes(),)

    def _read_scan(self, form: str) -> Pixels:
        """Return the scan (H, W) of a form. Raises SampleError."""
        from bench.data.inputs import images

        existing = (name for name in _FORMS if (self._folder / name / f"{form}.png").exists())
        try:
            scan = tree.read_file(self._folder, f"{next(existing, _FORMS[0])}/{form}.png")
            return images.decode_image(scan, 1)
        except SampleError as error:
            raise SampleError(f"the scan of its form is {error}") from None


def form_texts(document: bytes) -> dict[str, str]:
    """Return the `text` of each handwritten line in the XML file of a form, by line id.

    Each `text` is escaped twice, so it is unescaped once more after parsing. The DTD of a document
    is not read, and a document that declares an entity is refused, because entities could fill the
    memory or read other files.

    Raises:
        SampleError: The document cannot be read.
    """
    texts = {}

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if tag == "line" and {"id", "text"} <= attributes.keys():
            texts[attributes["id"]] = html.unescape(attributes["text"])

    def declare(*_: object) -> None:
        raise SampleError("a document that declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EntityDeclHandler = declare
    try:
        parser.Parse(document, True)  # noqa: FBT003 (expat takes no keyword)
    # An unknown encoding is a LookupError, a multi-byte encoding a ValueError.
    except (expat.ExpatError, LookupError, ValueError):
        raise SampleError("a document that is not XML") from None
    return texts


def _missing(folder: Path) -> list[str]:
    listed, *_ = _NEEDED
    missing = [] if any((folder / name).is_file() for name in _ASCII) else [listed]
    return missing + [
        needed
        for needed, names in _FOLDERS.items()
        if not any((folder / name).is_dir() for name in names)
    ]

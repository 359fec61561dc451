"""The installed Tesseract as a recognizer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from bench.core.components import Recognizer
from bench.core.errors import BenchError
from bench.core.files import file_digest
from bench.core.printable import quoted
from bench.core.recognition import Reading, TextReader, Workplace
from bench.core.schema import PositiveFloat

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.outside.program import Programs

Mode = Annotated[int, msgspec.Meta(ge=3, le=13)]
Engine = Annotated[int, msgspec.Meta(ge=0, le=3)]

_PROGRAM = "tesseract"
_USER = "recognizer 'tesseract'"
_REMEDY = "install it, on Debian with: apt-get install tesseract-ocr"
_PAGE, _WORD = "1", "5"
"""Levels of the rows in the TSV output of Tesseract."""
_TSV_COLUMNS = 12


@dataclass(frozen=True)
class TesseractRecognizer(Recognizer):
    """Tesseract 5, with one process per batch that reads the stored bytes of the images.

    Args:
        psm: The page segmentation mode: 8 is one word, 7 one line, 13 one line without heuristics
            of Tesseract, 6 one block; see `tesseract --help-psm`.
        oem: The engine: 1 is the LSTM, 0 that of Tesseract 3, 3 the default of the language.
        lang: The languages, joined by `+`.
        whitelist: The characters that Tesseract may read; None for all.
        timeout: Seconds per batch, after which the process is killed. The default allows a batch
            to take 10 minutes.

    Source:
        Smith, "An Overview of the Tesseract OCR Engine" (ICDAR 2007).
    """

    name: ClassVar[str] = "tesseract"

    psm: Mode = 8
    oem: Engine = 3
    lang: str = "eng"
    whitelist: str | None = None
    timeout: PositiveFloat = 600.0

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the version and the files of languages.

        Raises:
            BenchError: Tesseract or a language is not installed.
        """
        parameters = {
            "psm": self.psm,
            "oem": self.oem,
            "lang": self.lang,
            "whitelist": self.whitelist,
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"program": _version(), "models": self._models()}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Find the program and its languages, and yield a reader that runs it."""
        from bench.recognizers.outside.program import open_programs, thread_limits

        self._models()
        with open_programs(thread_limits(workplace.threads, "cpu"), _USER) as programs:
            yield _TesseractReader(self, programs)

    @property
    def training_data(self) -> tuple[str, ...] | None:
        """The training data by the documentation of Tesseract; None if unknown."""
        is_documented = self.lang == "eng" and self.oem in {1, 3}
        return ("400,000 rendered text lines in 4,500 fonts",) if is_documented else None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments after those of the input and the output."""
        engine = ("--psm", str(self.psm), "--oem", str(self.oem), "-l", self.lang)
        allowed = ("-c", f"tessedit_char_whitelist={self.whitelist}") if self.whitelist else ()
        return (*engine, *allowed, "tsv")

    def _models(self) -> dict[str, str]:
        from bench.recognizers.outside.program import printed_version

        printed = printed_version((_PROGRAM, "--list-langs"), _USER, _REMEDY)
        folder = re.search(r'"(.+)"', printed)
        if folder is None:
            raise BenchError(
                f"{_USER} requires Tesseract 5, but {quoted(_version())} is installed; install "
                "Tesseract 5"
            )
        digests = {}
        for language in self.lang.split("+"):
            file = Path(folder[1]) / f"{language}.traineddata"
            if not file.is_file():
                raise BenchError(
                    f"{_USER}: lang = {quoted(self.lang)}: there is no language "
                    f"{quoted(language)} in {folder[1]}; install it, on Debian with: apt-get "
                    "install tesseract-ocr-LANG"
                )
            digests[language] = file_digest(str(file), f"lang of {_USER}")
        return digests


class _TesseractReader(TextReader):
    """Starts Tesseract once per batch."""

    def __init__(self, recognizer: TesseractRecognizer, programs: Programs) -> None:
        self._recognizer = recognizer
        self._programs = programs

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the words of each image, joined by spaces, with their mean confidence."""
        from bench.recognizers.outside.image_files import write_images

        folder = self._programs.folder
        files = write_images(samples, "stored", folder)
        listed = folder / "list.txt"
        listed.write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
        command = (_PROGRAM, str(listed), "-", *self._recognizer.arguments)
        try:
            printed = self._programs.run(command, b"", self._recognizer.timeout)
        finally:
            for file in (*files, listed):
                file.unlink(missing_ok=True)
        readings = [*_pages(printed)]
        if len(readings) != len(samples):
            raise BenchError(
                f"{_USER} printed {len(readings)} pages for {len(samples)} images, such as sample "
                f"{quoted(samples[0].id)}; check the images with `bench data check`"
            )
        return readings

    @property
    def alphabet(self) -> frozenset[str] | None:
        """The characters of `whitelist`; None without one."""
        whitelist = self._recognizer.whitelist
        return frozenset(whitelist) if whitelist else None


def _pages(printed: bytes) -> Iterator[Reading]:
    """Yield the reading of each page of the TSV output, which has rows for pages and words."""
    words: list[tuple[str, float]] | None = None
    for row in printed.decode("utf-8", "replace").split("\n"):
        cells = row.rstrip("\r").split("\t")
        if cells[0] == _PAGE:
            if words is not None:
                yield _reading(words)
            words = []
        elif cells[0] == _WORD and len(cells) == _TSV_COLUMNS and cells[-1].strip():
            (words := words or []).append((cells[-1].strip(), float(cells[-2])))
    if words is not None:
        yield _reading(words)


def _reading(words: list[tuple[str, float]]) -> Reading:
    if not words:
        return Reading("")
    mean = sum(confidence for _, confidence in words) / len(words) / 100
    return Reading(" ".join(word for word, _ in words), min(max(mean, 0.0), 1.0))


def _version() -> str:
    from bench.recognizers.outside.program import printed_version

    # Further lines describe the processor.
    lines = printed_version((_PROGRAM, "--version"), _USER, _REMEDY).splitlines()[:2]
    return ", ".join(line.strip() for line in lines)

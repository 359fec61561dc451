"""The recognition networks of PP-OCR, run by the package rapidocr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.components import Recognizer
from bench.core.errors import BenchError, one_line
from bench.core.files import InputFile, existing_file, file_digest, lines_of_file
from bench.core.optional import Extra, import_extra, installed_folder, installed_version
from bench.core.printable import printable
from bench.core.recognition import Reading, TextReader, Workplace
from bench.recognizers.outside.reading_check import checked_reading

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

_USER = "recognizer 'rapidocr'"
_EXTRA: Extra = "rapidocr"
_CHARACTERS = "character"
"""The entry of the metadata in which ONNX graphs of PP-OCR have their characters."""


@dataclass(frozen=True)
class RapidOcrRecognizer(Recognizer):
    """A PP-OCR recognition network in onnxruntime, without text detection and text orientation.

    Images are read one by one, because the padding of a batch would change the texts. Nothing is
    downloaded.

    Args:
        model: The ONNX file of a PP-OCR recognition network; None for the one in the package
            rapidocr, which is PP-OCRv6 small in version 3.10.
        characters: A file of the characters of the network, one per line, for an ONNX file without
            them.

    Source:
        Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System" (arXiv 2009.09941).
    """

    name: ClassVar[str] = "rapidocr"

    model: InputFile | None = None
    characters: InputFile | None = None

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the version of RapidOCR and the network.

        Raises:
            BenchError: RapidOCR or a file is missing.
        """
        characters = self.characters and file_digest(self.characters, f"characters of {_USER}")
        parameters = {
            "model": {"sha256": file_digest(str(self._file()), f"model of {_USER}")},
            "characters": characters and {"sha256": characters},
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"package": {"rapidocr": installed_version("rapidocr", _EXTRA, _USER)}}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Load the network and yield a reader."""
        rapidocr = import_extra("rapidocr", _EXTRA, _USER)
        file = self._file()
        letters = self._letters(file)
        settings: dict[str, Any] = {
            "Global.log_level": "critical",
            "Rec.model_path": str(file.absolute()),
            "EngineConfig.onnxruntime.intra_op_num_threads": workplace.threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "EngineConfig.onnxruntime.use_cuda": workplace.device != "cpu",
        }
        if self.characters:
            listed = existing_file(self.characters, f"characters of {_USER}")
            settings["Rec.rec_keys_path"] = str(listed.absolute())
        yield _RapidOcrReader(rapidocr.RapidOCR(params=settings), letters)

    def _file(self) -> Path:
        if self.model is not None:
            return existing_file(self.model, f"model of {_USER}")
        folder = installed_folder("rapidocr", _EXTRA, _USER) / "models"
        networks = sorted(folder.glob("*_rec_*.onnx"))
        if len(networks) != 1:
            raise BenchError(
                f"{_USER}: RapidOCR has {len(networks)} recognition networks in {folder}; choose "
                'one with model = "…"'
            )
        return networks[0]

    def _letters(self, file: Path) -> frozenset[str]:
        """Return the characters of a network; without any, RapidOCR would download them."""
        if self.characters:
            listed = lines_of_file(self.characters, f"characters of {_USER}")
            return frozenset(listed) - {""} | {" "}
        onnxruntime = import_extra("onnxruntime", _EXTRA, _USER)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
        except Exception as error:
            raise BenchError(
                f"{_USER}: {file} is not an ONNX network ({printable(one_line(error))}); set model "
                "to a recognition network of PP-OCR"
            ) from error
        metadata = session.get_modelmeta().custom_metadata_map
        if _CHARACTERS not in metadata:
            raise BenchError(
                f"{_USER}: {file} has no characters in its metadata; give a file with one per line "
                'as characters = "…"'
            )
        return frozenset(metadata[_CHARACTERS].split("\n")) - {""} | {" "}


class _RapidOcrReader(TextReader):
    """Reads images one by one."""

    def __init__(self, engine: Any, letters: frozenset[str]) -> None:  # noqa: ANN401
        self._engine = engine
        self._letters = letters

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the text of each image with RapidOCR's confidence."""
        return [self._read_image(sample) for sample in samples]

    def _read_image(self, sample: EncodedSample) -> Reading:
        import numpy as np

        # RapidOCR expects the order blue, green, red.
        pixels = np.ascontiguousarray(sample.pixels(3)[:, :, ::-1])
        output = self._engine(pixels, use_det=False, use_cls=False)
        if not output.txts:
            return Reading("")
        return checked_reading(output.txts[0], sample.id, _USER, confidence=output.scores[0])

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of the network, and the space."""
        return self._letters

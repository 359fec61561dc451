"""PP-OCR's recognition networks, by RapidOCR."""

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
from bench.recognizers.outside.checked import checked_reading

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

_USER = "recognizer 'rapidocr'"
_EXTRA: Extra = "rapidocr"
_CHARACTERS = "character"
"""The key of an ONNX file's metadata that has its characters."""


@dataclass(frozen=True)
class RapidOcrRecognizer(Recognizer):
    """PP-OCR's recognition network in onnxruntime, without detector and classifier of directions.

    Images are read one by one, because the padding of a batch would change what is read. Nothing is
    downloaded.

    Args:
        model: An ONNX file of a PP-OCR recognition network; None: the one that comes with RapidOCR,
            PP-OCRv6 small in RapidOCR 3.10.
        characters: Its characters, one per line, where the ONNX file does not have them itself.

    Source:
        Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System" (arXiv 2009.09941).
    """

    name: ClassVar[str] = "rapidocr"

    model: InputFile | None = None
    characters: InputFile | None = None

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key: the version of RapidOCR and the SHA-256 of the network.

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
        """Load the network."""
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
                f"{_USER}: RapidOCR comes with {len(networks)} recognition networks in {folder}; "
                'name one with model = "…"'
            )
        return networks[0]

    def _letters(self, file: Path) -> frozenset[str]:
        """Return the characters of a network, without which RapidOCR would download some."""
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
                f"{_USER}: {file} is not an ONNX network ({printable(one_line(error))}); give the "
                "recognition network of a PP-OCR"
            ) from error
        metadata = session.get_modelmeta().custom_metadata_map
        if _CHARACTERS not in metadata:
            raise BenchError(
                f"{_USER}: {file} does not have its characters; give a file of one per line with "
                'characters = "…"'
            )
        return frozenset(metadata[_CHARACTERS].split("\n")) - {""} | {" "}


class _RapidOcrReader(TextReader):
    """Reads image by image."""

    def __init__(self, engine: Any, letters: frozenset[str]) -> None:  # noqa: ANN401
        self._engine = engine
        self._letters = letters

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the text of each image with RapidOCR's confidence."""
        return [self._one(sample) for sample in samples]

    def _one(self, sample: EncodedSample) -> Reading:
        import numpy as np

        # Blue comes first.
        pixels = np.ascontiguousarray(sample.pixels(3)[:, :, ::-1])
        found = self._engine(pixels, use_det=False, use_cls=False)
        if not found.txts:
            return Reading("")
        return checked_reading(found.txts[0], sample.id, _USER, confidence=found.scores[0])

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of the network, and the space."""
        return self._letters

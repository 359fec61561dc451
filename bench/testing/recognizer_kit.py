"""The contract of recognizers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from bench.core.components import Recognizer
from bench.core.recognition import Reading, TextReader, Workplace
from bench.data.reading.encoded_samples import EncodedSample
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.timing import milliseconds

_WORDS = ("hello", "42", "street", "Open")
_FRAMES = 6


def recognizer_checks(recognizer: Recognizer | str) -> list[Check]:
    """Return the checks of a recognizer, or that of a name, for `pytest.mark.parametrize`."""
    return RecognizerKit(component_of("recognizer", recognizer)).tests()


def check_recognizer(recognizer: Recognizer | str) -> list[CheckResult]:
    """Check a recognizer, or that of a name; return the result of each check."""
    return RecognizerKit(component_of("recognizer", recognizer)).run()


class RecognizerKit(ComponentKit[Recognizer]):
    """What evaluation requires of a recognizer, on drawn words in images or clips."""

    def exercise(self) -> None:
        """Open the recognizer and read the samples."""
        self._read([self._samples])

    @requires("It returns one Reading per sample, whose text is a text.")
    def readings(self) -> None:
        """Check what is read of a batch."""
        readings = self._read([self._samples])
        if len(readings) != len(self._samples):
            raise ContractError(
                f"read() returned {len(readings)} readings for {len(self._samples)} samples; "
                "return one per sample, in their order, with an empty text where nothing is read"
            )
        for each in readings:
            if not isinstance(each, Reading) or not isinstance(each.text, str):
                raise ContractError(
                    f"read() returned {type(each).__name__}; return bench.core.recognition.Reading"
                )
            if each.confidence is not None and not 0 <= each.confidence <= 1:
                raise ContractError(
                    f"the confidence of a reading is {each.confidence}; return a number from 0 to "
                    "1, or None"
                )

    @requires("Readings are in the order of the samples.")
    def order(self) -> None:
        """Compare the readings of samples in reverse order."""
        forward = self._texts([self._samples])
        backward = self._texts([self._samples[::-1]])
        if backward[::-1] != forward:
            raise ContractError(
                f"the samples are read as {forward}, and in reverse order as {backward}; return "
                "the readings in the order of the samples"
            )

    @requires("Readings do not depend on the batch.")
    def batch_size(self) -> None:
        """Compare the readings of a batch with those of batches of one sample."""
        together = self._texts([self._samples])
        alone = self._texts([[sample] for sample in self._samples])
        if together != alone:
            raise ContractError(
                f"the samples are read as {together} in a batch, and as {alone} one by one; read "
                "each sample by itself"
            )

    @requires("Opened again, it reads the same.")
    def determinism(self) -> None:
        """Open the recognizer twice."""
        first, second = (self._texts([self._samples]) for _ in range(2))
        if first != second:
            raise ContractError(
                f"the samples are read as {first}, and after opening again as {second}; seed what "
                "is drawn at random by a parameter"
            )

    @informs("What it reads of four drawn words, and how fast.")
    def speed(self) -> str:
        """Time reading, and list what is read."""
        with tempfile.TemporaryDirectory() as cache, self._opened(Path(cache)) as reader:
            texts = [each.text for each in reader.read(self._samples)]
            time = milliseconds(lambda: reader.read(self._samples)) / len(self._samples)
        return f"{list(_WORDS)} are read as {texts}, {time:.1f} ms per sample on this CPU"

    @cached_property
    def _samples(self) -> Sequence[EncodedSample]:
        images = [_drawn(word) for word in _WORDS]
        count = 1 if self.component.accepts == "image" else _FRAMES
        return [
            EncodedSample(f"sample-{number}", (image,) * count)
            for number, image in enumerate(images)
        ]

    def _texts(self, batches: Sequence[Sequence[EncodedSample]]) -> list[str]:
        return [each.text for each in self._read(batches)]

    def _read(self, batches: Sequence[Sequence[EncodedSample]]) -> list[Reading]:
        """Open the recognizer, and return what is read of several batches."""
        with tempfile.TemporaryDirectory() as cache, self._opened(Path(cache)) as reader:
            reader.begin([sample.id for batch in batches for sample in batch])
            return [reading for batch in batches for reading in reader.read(batch)]

    def _opened(self, cache: Path) -> AbstractContextManager[TextReader]:
        return self.component.open(Workplace("cpu", 1, cache))


def _drawn(word: str) -> bytes:
    """Return a PNG of a word, black on white."""
    pixels = np.full((48, 24 * len(word) + 24, 3), 255, np.uint8)
    cv2.putText(pixels, word, (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2, cv2.LINE_AA)
    return cv2.imencode(".png", pixels)[1].tobytes()

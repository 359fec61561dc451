"""Answers that were paid for, kept between runs: one JSON document each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from bench.core import documents
from bench.core.errors import BenchError
from bench.recognizers.endpoint.answers import Answer

SCHEMA = 1


@dataclass(frozen=True)
class _Document:
    schema: int
    answer: Answer


class AnswerCache:
    """Answers under the hash of all that was asked; several processes may share it.

    Args:
        folder: Where they are; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Answer | None:
        """Return the answer under a key; None where there is none that can be read."""
        try:
            read = documents.read(
                self._file(key), _Document, SCHEMA, noun="answer", remedy="remove it"
            )
        except (BenchError, OSError):
            return None  # it is asked again
        return read.answer

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer under a key."""
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        documents.write_bytes(file, documents.encode(_Document(SCHEMA, answer)))

    def _file(self, key: str) -> Path:
        # Folders of a few hundred files each, where there are tens of thousands of answers.
        return self.folder / key[:2] / f"{key}.json"


def question_key(url: str, question: object, image: bytes) -> str:
    """Return the SHA-256 of all that decides an answer.

    Args:
        url: The URL that is asked.
        question: Model, prompt and parameters, as JSON values.
        image: The encoded image.
    """
    asked = [url, question, hashlib.sha256(image).hexdigest()]
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

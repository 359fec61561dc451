"""A cache of paid answers between runs, one JSON document per answer."""

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
    """A folder of answers, stored by `question_key`; several processes may share it.

    Args:
        folder: The folder, which need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Answer | None:
        """Return the answer of a key; None if it is missing or cannot be read."""
        try:
            document = documents.read(
                self._file(key), _Document, SCHEMA, noun="answer", remedy="remove it"
            )
        except (BenchError, OSError):
            return None  # the question is asked again
        return document.answer

    def put(self, key: str, answer: Answer) -> None:
        """Store an answer under a key."""
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        documents.write_bytes(file, documents.encode(_Document(SCHEMA, answer)))

    def _file(self, key: str) -> Path:
        # Subfolders, so that tens of thousands of answers make a few hundred files per folder.
        return self.folder / key[:2] / f"{key}.json"


def question_key(url: str, question: object, image: bytes) -> str:
    """Return the SHA-256 of everything that an answer depends on.

    Args:
        url: The URL of the endpoint.
        question: Model, prompt and parameters, as JSON values.
        image: The encoded image.
    """
    asked = [url, question, hashlib.sha256(image).hexdigest()]
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

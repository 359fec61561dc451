"""Parsing of the output of a program: one `path<TAB>text` or JSON object per line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.core.recognition import Reading
from bench.recognizers.outside.reading_check import checked_reading

_REMEDY = "print path, tab and text, or a JSON object with path and text, and log to standard error"


class _Answer(msgspec.Struct):
    path: str
    text: str
    confidence: float | None = None


def parse_answers(
    printed: bytes, files: Sequence[Path], ids: Sequence[str], user: str
) -> list[Reading]:
    """Return the readings of a batch from the output of a program.

    Args:
        printed: The output.
        files: The files that the program was given.
        ids: The id of the sample of each file.
        user: The recognizer, for messages.

    Raises:
        BenchError: A line is malformed or not UTF-8, a file has no answer or several, or an answer
            is about another file.
    """
    numbers = {str(file): number for number, file in enumerate(files)}
    readings: dict[int, Reading] = {}
    for line_number, line in enumerate(printed.split(b"\n"), 1):
        text = _decoded(line.removesuffix(b"\r"), line_number, user)
        if not text.strip():
            continue
        answer = _answer(text, line_number, user)
        number = numbers.get(answer.path)
        if number is None:
            raise BenchError(
                f"{user}: line {line_number} of its output is about {quoted(answer.path)}, which "
                "it was not given; print each path exactly as it was given"
            )
        if number in readings:
            raise BenchError(
                f"{user}: line {line_number} of its output is a second answer for "
                f"{files[number].name}; print one line per image"
            )
        readings[number] = checked_reading(
            answer.text, ids[number], user, confidence=answer.confidence
        )
    if absent := [number for number in range(len(files)) if number not in readings]:
        raise BenchError(
            f"{user} printed no answer for {len(absent)} of {len(files)} images, such as "
            f"{files[absent[0]].name} (sample {quoted(ids[absent[0]])}); print an empty text "
            "if nothing is read"
        )
    return [readings[number] for number in range(len(files))]


def whole_output_reading(printed: bytes, sample: str, user: str) -> Reading:
    """Return the reading of one image from the whole output of a program, lines joined by spaces.

    Args:
        printed: The output.
        sample: The id of the sample, for messages.
        user: The recognizer, for messages.

    Raises:
        BenchError: The output is not UTF-8.
    """
    lines = (line.strip() for line in _decoded(printed, None, user).splitlines())
    return checked_reading(" ".join(line for line in lines if line), sample, user)


def _answer(text: str, line_number: int, user: str) -> _Answer:
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=_Answer)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BenchError(
                f"{user}: line {line_number} of its output is not a JSON object with path and text "
                f"({error}): {quoted(text)}; {_REMEDY}"
            ) from None
    path, tab, read = text.partition("\t")
    if not tab:
        raise BenchError(
            f"{user}: line {line_number} of its output has no tab: {quoted(text)}; {_REMEDY}"
        )
    return _Answer(path, read)


def _decoded(content: bytes, line_number: int | None, user: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        where = "its output" if line_number is None else f"line {line_number} of its output"
        raise BenchError(
            f"{user}: byte {error.start + 1} of {where} is not UTF-8; print UTF-8"
        ) from None

"""The characters that the classes of a network from outside bench stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.core.files import lines_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = "blank"
"""What some dictionaries have on the line of the blank; it is no character."""
_SHOWN = 20


def characters_of_file(path: str, parameter: str) -> tuple[str, ...]:
    """Return the characters of a file with one on each line.

    Lines end with a line feed alone: dictionaries hold other separators as characters. A first or
    last line `blank` names the blank and is left out.

    Raises:
        BenchError: There is no such file, it is not text, or it has an empty line.
    """
    return _characters([*lines_of_file(path, parameter)], f"the file '{path}' of {parameter}")


def characters_of_lines(text: str, where: str) -> tuple[str, ...]:
    """Return the characters of a text with one on each line, as `characters_of_file` does."""
    lines = text.removesuffix("\n").split("\n")
    return _characters([line.removesuffix("\r") for line in lines], where)


def _characters(lines: list[str], where: str) -> tuple[str, ...]:
    if lines[:1] == [_BLANK]:
        del lines[0]
    elif lines[-1:] == [_BLANK]:
        del lines[-1]
    if "" in lines or not lines:
        number = lines.index("") + 1 if lines else 1
        raise BenchError(f"{where} has nothing on line {number}; write one character on each line")
    return tuple(lines)


def check_classes(characters: Sequence[str], classes: int, what: str) -> None:
    """Raise BenchError unless the characters and the class of blank or end are all classes.

    Args:
        characters: What all classes but that of blank or end stand for.
        classes: How many there are.
        what: What has them, such as `the graph of 'model.onnx'`.
    """
    if len(characters) + 1 == classes:
        return
    first = "".join(characters[:_SHOWN])
    more = "…" if len(characters) > _SHOWN else ""
    hint = "set space = true, or " if len(characters) + 2 == classes else ""
    if len(characters) == classes and characters[-1] == " ":
        hint = "set space = false, or "
    raise BenchError(
        f"{what} has {classes:,} classes, and the alphabet of {len(characters):,} characters "
        f"({first!r}{more}) makes {len(characters) + 1:,} with that of blank or end; {hint}give an "
        f"alphabet of {classes - 1:,} characters in the order of the classes"
    )

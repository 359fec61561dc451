"""The characters of the classes of a network from outside bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.core.files import lines_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = "blank"
"""The line of the blank in some dictionaries, which is not a character."""
_MAX_QUOTED = 20
"""Characters of an alphabet in a message."""


def characters_of_file(path: str, parameter: str) -> tuple[str, ...]:
    """Return the characters of a file with one per line.

    Lines end with a line feed only, because dictionaries have other line separators as characters.
    A first or last line `blank` stands for the blank and is left out.

    Args:
        path: The file.
        parameter: The parameter of bench.toml that has the path, for messages.

    Raises:
        BenchError: The file is missing or not text, or has an empty line.
    """
    return _characters([*lines_of_file(path, parameter)], f"the file '{path}' of {parameter}")


def characters_of_lines(text: str, where: str) -> tuple[str, ...]:
    """Return the characters of a text with one per line, as `characters_of_file` does."""
    lines = text.removesuffix("\n").split("\n")
    return _characters([line.removesuffix("\r") for line in lines], where)


def _characters(lines: list[str], where: str) -> tuple[str, ...]:
    if lines[:1] == [_BLANK]:
        del lines[0]
    elif lines[-1:] == [_BLANK]:
        del lines[-1]
    if "" in lines or not lines:
        number = lines.index("") + 1 if lines else 1
        raise BenchError(f"line {number} of {where} is empty; write one character per line")
    return tuple(lines)


def check_classes(characters: Sequence[str], classes: int, where: str) -> None:
    """Check that a network has one class per character and one for blank or end of sequence.

    Args:
        characters: The characters of all classes except blank or end of sequence.
        classes: The number of classes of the network.
        where: The network or file, for messages.

    Raises:
        BenchError: The numbers differ.
    """
    if len(characters) + 1 == classes:
        return
    first = "".join(characters[:_MAX_QUOTED])
    more = "…" if len(characters) > _MAX_QUOTED else ""
    hint = "set space = true, or " if len(characters) + 2 == classes else ""
    if len(characters) == classes and characters[-1] == " ":
        hint = "set space = false, or "
    raise BenchError(
        f"{where} has {classes:,} classes, but the alphabet of {len(characters):,} characters "
        f"({first!r}{more}) needs {len(characters) + 1:,} with blank or end; {hint}give an "
        f"alphabet of {classes - 1:,} characters in the order of the classes"
    )

"""STM references and CTM hypotheses, read as by NIST's sclite (of SCTK) without options.

Markup that sclite does not score as plain glosses is an error: alternations, optional glosses, and
the characters that end or escape a gloss. See `bench docs metrics`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NoReturn

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.evaluation.metrics.scoring import Sample

_COMMENT = ";;"
_STM_FIELDS = ("file", "channel", "speaker", "begin", "end")
_IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
_NOTHING = "@"
"""The mark for an empty gloss. It is an error, because sclite breaks ties of alignments at it in
another way."""
_CTM_ALTERNATIONS = ("<ALT_BEGIN>", "<ALT>", "<ALT_END>")
# `(gloss)` is optional. A single parenthesis probably belongs to a pair around several glosses.
_OPTIONAL = re.compile(r"\(.*\)|\([^)]*|[^(]*\)")
_Channel = tuple[str, str]


@dataclass
class _Segment:
    """An interval of a channel, with what was signed and read in it.

    Attributes:
        line: The line of the STM.
        begin: Seconds.
        end: Seconds.
        glosses: The reference; None if the segment is not scored.
        hypothesis: The glosses read.
    """

    line: int
    begin: float
    end: float
    glosses: list[str] | None
    hypothesis: list[str] = field(default_factory=list)


class _Timed(NamedTuple):
    """A gloss of a CTM, with seconds; its middle determines its segment."""

    begin: float
    middle: float
    gloss: str


def read_time_marked(
    reference: Path,
    references: Iterable[str],
    hypothesis: Path,
    hypotheses: Iterable[str],
) -> Iterator[Sample]:
    """Yield one sample per scored segment.

    Args:
        reference: The STM file, for messages.
        references: The lines of the STM.
        hypothesis: The CTM file, for messages.
        hypotheses: The lines of the CTM.

    Raises:
        BenchError: A line is malformed or has unsupported markup, segments overlap, or the CTM has
            a channel that the STM does not have.
    """
    channels = _read_stm(reference, references)
    for channel, timed in _read_ctm(hypothesis, hypotheses).items():
        if channel not in channels:
            raise BenchError(
                f"{hypothesis}: {_channel_name(channel)} is not in {reference}; remove its lines"
            )
        _assign(timed, channels[channel])
    for channel, segments in channels.items():
        for segment in segments:
            if segment.glosses is not None:
                where = f"{reference}:{segment.line}: {_channel_name(channel)}"
                yield Sample(where, " ".join(segment.glosses), " ".join(segment.hypothesis))


def _read_stm(file: Path, lines: Iterable[str]) -> dict[_Channel, list[_Segment]]:
    """Return the segments of each channel, sorted by begin."""
    # file channel speaker begin end [<label>] gloss…
    channels: dict[_Channel, list[_Segment]] = {}
    for number, fields in _fields(lines):
        if len(fields) < len(_STM_FIELDS):
            _refuse(file, number, f"an STM line begins with five fields: {', '.join(_STM_FIELDS)}")
        begin, end = (_seconds(file, number, text) for text in fields[3:5])
        if end < begin:
            _refuse(file, number, f"the segment ends at {fields[4]}, before its begin {fields[3]}")
        glosses = fields[len(_STM_FIELDS) :]
        if glosses and glosses[0].startswith("<") and glosses[0].endswith(">"):
            del glosses[0]
        segment = _Segment(number, begin, end, _transcript(file, number, glosses))
        channels.setdefault((fields[0], fields[1]), []).append(segment)
    for channel, segments in channels.items():
        segments.sort(key=lambda segment: (segment.begin, segment.end))
        for before, after in pairwise(segments):
            if after.begin < before.end:
                first, second = sorted((before.line, after.line))
                fault = f"the segment overlaps that of line {first} of {_channel_name(channel)}"
                _refuse(file, second, f"{fault}; remove one, or give each speaker a channel")
    return channels


def _transcript(file: Path, number: int, glosses: list[str]) -> list[str] | None:
    """Return the glosses of a segment; None if it is not scored."""
    if any(gloss.upper() == _IGNORED for gloss in glosses):
        if len(glosses) > 1:
            _refuse(
                file, number, f"the line has both {_IGNORED} and glosses; remove one of the two"
            )
        return None
    for gloss in glosses:
        if "{" in gloss or "}" in gloss:
            _refuse(
                file,
                number,
                f"{quoted(gloss)} belongs to an alternation, which is not supported; "
                "keep one of its texts",
            )
        _require_plain(file, number, gloss)
    return glosses


def _read_ctm(file: Path, lines: Iterable[str]) -> dict[_Channel, list[_Timed]]:
    """Return the glosses of each channel, sorted by begin."""
    # file channel begin duration gloss [confidence], in any order.
    channels: dict[_Channel, list[_Timed]] = {}
    for number, fields in _fields(lines):
        if set(fields[4:5]).intersection(_CTM_ALTERNATIONS):
            _refuse(file, number, f"{fields[4]}: alternations are not supported; keep one text")
        if len(fields) < 4:  # noqa: PLR2004 (a line may have no gloss)
            _refuse(file, number, "a CTM line is file, channel, begin, duration and gloss")
        begin, duration = (_seconds(file, number, text) for text in fields[2:4])
        timed = channels.setdefault((fields[0], fields[1]), [])
        for gloss in fields[4:5]:
            _require_plain(file, number, gloss)
            timed.append(_Timed(begin, begin + duration / 2, gloss))
    for timed in channels.values():
        timed.sort(key=lambda each: each.begin)
    return channels


def _assign(timed: Iterable[_Timed], segments: list[_Segment]) -> None:
    """Assign each gloss to the first segment that ends after its middle, else to the last one.

    As in sclite, a gloss between two segments belongs to the later one, and no gloss belongs to an
    earlier segment than the gloss before it.
    """
    ends, index = [segment.end for segment in segments], 0
    for each in timed:
        index = max(index, min(bisect_right(ends, each.middle), len(segments) - 1))
        segments[index].hypothesis.append(each.gloss)


def _fields(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is neither blank nor a comment."""
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if fields and not fields[0].startswith(_COMMENT):
            yield number, fields


def _require_plain(file: Path, number: int, gloss: str) -> None:
    """Raise BenchError if sclite would not score the gloss exactly as it is written."""
    if gloss == _NOTHING:
        _refuse(file, number, f"'{_NOTHING}' marks an empty gloss; remove it")
    if _OPTIONAL.fullmatch(gloss):
        _refuse(
            file,
            number,
            f"{quoted(gloss)} is marked as optional, which is not supported; remove the "
            "parentheses, or the gloss",
        )
    if ";" in gloss or "\\" in gloss:
        _refuse(
            file,
            number,
            f"{quoted(gloss)} has a semicolon or a backslash, markup for sclite; remove it",
        )


def _seconds(file: Path, number: int, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        _refuse(file, number, f"{quoted(text)} is not a number; write seconds")
    return seconds


def _refuse(file: Path, number: int, fault: str) -> NoReturn:
    raise BenchError(f"{file}:{number}: {fault}")


def _channel_name(channel: _Channel) -> str:
    return f"file {quoted(channel[0], 80)}, channel {quoted(channel[1], 80)}"

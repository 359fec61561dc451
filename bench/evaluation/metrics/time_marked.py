"""STM references and CTM hypotheses, read as sclite of NIST's SCTK reads them without options.

Markup that sclite does not count as plain glosses is refused: alternations, optional glosses,
and the characters that end or escape a gloss. See `bench docs metrics`.
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
"""A gloss that stands for no gloss, which would break ties of alignments in another way."""
_CTM_ALTERNATIONS = ("<ALT_BEGIN>", "<ALT>", "<ALT_END>")
# `(gloss)` is optional; one parenthesis of a pair around several glosses is probably meant so.
_OPTIONAL = re.compile(r"\(.*\)|\([^)]*|[^(]*\)")
_Channel = tuple[str, str]


@dataclass
class _Segment:
    """What was signed in an interval of a channel; `glosses` is None where nothing is scored."""

    line: int
    begin: float
    end: float
    glosses: list[str] | None
    hypothesis: list[str] = field(default_factory=list)


class _Timed(NamedTuple):
    """A gloss of a CTM; its middle decides its segment."""

    begin: float
    middle: float
    gloss: str


def read_time_marked(
    reference: Path,
    references: Iterable[str],
    hypothesis: Path,
    hypotheses: Iterable[str],
) -> Iterator[Sample]:
    """Yield a sample per segment that is scored.

    Args:
        reference: The STM, for messages.
        references: Its lines.
        hypothesis: The CTM, for messages.
        hypotheses: Its lines.

    Raises:
        BenchError: A line is malformed or has markup that is not read, segments overlap, or the
            CTM has a channel that the STM does not have.
    """
    channels = _read_stm(reference, references)
    for channel, timed in _read_ctm(hypothesis, hypotheses).items():
        if channel not in channels:
            raise BenchError(
                f"{reference}: there is no {_named(channel)}, which {hypothesis} has; remove it "
                "there"
            )
        _assign(timed, channels[channel])
    for channel, segments in channels.items():
        for segment in segments:
            if segment.glosses is not None:
                where = f"{reference}:{segment.line}: {_named(channel)}"
                yield Sample(where, " ".join(segment.glosses), " ".join(segment.hypothesis))


def _read_stm(file: Path, lines: Iterable[str]) -> dict[_Channel, list[_Segment]]:
    """Return the segments of each channel by their begins."""
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
                fault = f"the segment overlaps that of line {first} of {_named(channel)}"
                _refuse(file, second, f"{fault}; remove one, or give each speaker a channel")
    return channels


def _transcript(file: Path, number: int, glosses: list[str]) -> list[str] | None:
    """Return the glosses that count, None of a segment that is not scored."""
    if any(gloss.upper() == _IGNORED for gloss in glosses):
        if len(glosses) > 1:
            _refuse(file, number, f"{_IGNORED} stands beside glosses; remove it or them")
        return None
    for gloss in glosses:
        if "{" in gloss or "}" in gloss:
            _refuse(
                file,
                number,
                f"{quoted(gloss)} belongs to an alternation, and alternations are not scored; "
                "leave one of its texts",
            )
        _require_plain(file, number, gloss)
    return glosses


def _read_ctm(file: Path, lines: Iterable[str]) -> dict[_Channel, list[_Timed]]:
    """Return the glosses of each channel by their begins."""
    # file channel begin duration gloss [confidence], in any order.
    channels: dict[_Channel, list[_Timed]] = {}
    for number, fields in _fields(lines):
        if set(fields[4:5]).intersection(_CTM_ALTERNATIONS):
            _refuse(file, number, f"{fields[4]}: alternations are not scored; leave one text")
        if len(fields) < 4:  # noqa: PLR2004 (without a gloss, nothing was read)
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
    """Give each gloss to the first segment that ends after its middle, else to the last one.

    So a gloss between two segments belongs to the later one, and none to an earlier segment than
    the gloss before it, as in sclite.
    """
    ends, place = [segment.end for segment in segments], 0
    for each in timed:
        place = max(place, min(bisect_right(ends, each.middle), len(segments) - 1))
        segments[place].hypothesis.append(each.gloss)


def _fields(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is neither blank nor a comment."""
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if fields and not fields[0].startswith(_COMMENT):
            yield number, fields


def _require_plain(file: Path, number: int, gloss: str) -> None:
    """Refuse a gloss that sclite does not take for a gloss as it is written."""
    if gloss == _NOTHING:
        _refuse(file, number, f"'{_NOTHING}' stands for no gloss; remove it")
    if _OPTIONAL.fullmatch(gloss):
        _refuse(
            file,
            number,
            f"{quoted(gloss)} is marked as optional, and optional glosses are not scored; remove "
            "the parentheses, or the gloss",
        )
    if ";" in gloss or "\\" in gloss:
        _refuse(
            file,
            number,
            f"{quoted(gloss)} has a semicolon or a backslash, which sclite takes for markup; "
            "remove it",
        )


def _seconds(file: Path, number: int, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        _refuse(file, number, f"{quoted(text)} is not a number of seconds; write one")
    return seconds


def _refuse(file: Path, number: int, fault: str) -> NoReturn:
    raise BenchError(f"{file}:{number}: {fault}")


def _named(channel: _Channel) -> str:
    return f"{quoted(channel[0], 80)} of channel {quoted(channel[1], 80)}"

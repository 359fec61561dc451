"""References and hypotheses from text files: line by line, by identity, or STM and CTM.

Lines end with a line feed, a carriage return before it belongs to it; nothing else ends a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bench.core.errors import BenchError
from bench.evaluation.metrics.scoring import Sample

_COMMENT = ";;"
_LONGEST = 80


def read(reference: Path, hypothesis: Path, *, ids: bool = False) -> Iterator[Sample]:
    """Yield the samples of two files: STM and CTM by their suffixes, else lines of text.

    With `ids` a line is an identity, a tab and the text, and lines with the same identity belong
    together. Raises BenchError on a file that cannot be read, or where the two do not match.
    """
    if (reference.suffix.lower(), hypothesis.suffix.lower()) == (".stm", ".ctm"):
        return _matched(reference, _stm(reference), hypothesis, _ctm(hypothesis), silent="")
    if ids:
        return _matched(reference, _tabbed(reference), hypothesis, _tabbed(hypothesis))
    return _side_by_side(reference, hypothesis)


def lines(file: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends. Raises BenchError naming the line."""
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                content = line.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    # A byte order mark is no character of the first line.
                    yield content.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise BenchError(
                        f"{file}:{number}: byte {error.start + 1} of the line is no UTF-8; "
                        "write the file as UTF-8"
                    ) from None
    except OSError as error:
        raise BenchError(f"{file}: it cannot be read ({error.strerror})") from None


def _side_by_side(reference: Path, hypothesis: Path) -> Iterator[Sample]:
    pairs = zip_longest(lines(reference), lines(hypothesis))
    counts = [0, 0]
    for number, (wanted, found) in enumerate(pairs, 1):
        counts = [counts[0] + (wanted is not None), counts[1] + (found is not None)]
        if wanted is not None and found is not None:
            yield Sample(f"{reference}:{number}", wanted, found)
    if counts[0] != counts[1]:
        raise BenchError(
            f"{reference} has {counts[0]:,} lines, {hypothesis} has {counts[1]:,}: line n of one "
            "is compared with line n of the other; an empty line is a reading of nothing"
        )


def _matched(
    reference: Path,
    wanted: Iterator[tuple[str, str]],
    hypothesis: Path,
    found: Iterator[tuple[str, str]],
    silent: str | None = None,
) -> Iterator[Sample]:
    # `silent` is what an identity without a hypothesis has read, None where that is a mistake.
    texts = dict(found)
    for name, text in wanted:
        if name not in texts and silent is None:
            raise BenchError(f"{hypothesis}: there is no {_quoted(name)}, which {reference} has")
        yield Sample(f"{reference}: {_quoted(name)}", text, texts.pop(name, silent or ""))
    if texts:
        name = next(iter(texts))
        raise BenchError(f"{reference}: there is no {_quoted(name)}, which {hypothesis} has")


def _tabbed(file: Path) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, line in enumerate(lines(file), 1):
        name, tab, text = line.partition("\t")
        if not tab:
            raise BenchError(f"{file}:{number}: there is no tab between an identity and a text")
        yield _new(name, seen, file, number), text


def _stm(file: Path) -> Iterator[tuple[str, str]]:
    # file channel speaker begin end [<label>] gloss…
    seen: set[str] = set()
    for number, line in enumerate(lines(file), 1):
        fields = line.split()
        if not fields or fields[0].startswith(_COMMENT):
            continue
        if len(fields) < len(("file", "channel", "speaker", "begin", "end")):
            raise BenchError(f"{file}:{number}: an STM line begins with five fields")
        glosses = fields[5:]
        if glosses and glosses[0].startswith("<") and glosses[0].endswith(">"):
            glosses = glosses[1:]
        yield _new(fields[0], seen, file, number), " ".join(glosses)


def _ctm(file: Path) -> Iterator[tuple[str, str]]:
    # file channel begin duration gloss [confidence], in any order.
    found: dict[str, list[tuple[float, str]]] = {}
    for number, line in enumerate(lines(file), 1):
        fields = line.split()
        if not fields or fields[0].startswith(_COMMENT):
            continue
        try:
            name, begin = fields[0], float(fields[2])
        except (IndexError, ValueError):
            raise BenchError(
                f"{file}:{number}: a CTM line is file, channel, begin, duration and gloss"
            ) from None
        # A line without a gloss says that nothing was read.
        found.setdefault(name, []).extend((begin, gloss) for gloss in fields[4:5])
    for name, timed in found.items():
        timed.sort(key=lambda one: one[0])
        yield name, " ".join(gloss for _, gloss in timed)


def _new(name: str, seen: set[str], file: Path, number: int) -> str:
    if name in seen:
        raise BenchError(f"{file}:{number}: {_quoted(name)} stands twice")
    seen.add(name)
    return name


def _quoted(name: str) -> str:
    # What a file calls a sample may be anything; what does not print never reaches a terminal.
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…")

"""References and hypotheses from text files: line by line, by id, or STM and CTM.

A line ends with a line feed, and a carriage return before it belongs to the end; nothing else ends
a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bench.core.errors import BenchError
from bench.evaluation.metrics.scoring import Sample

_COMMENT = ";;"
_STM_FIELDS = ("file", "channel", "speaker", "begin", "end")
_MAX_SHOWN = 80


def read_samples(reference: Path, hypothesis: Path, *, ids: bool = False) -> Iterator[Sample]:
    """Yield the samples of two files: STM and CTM by their suffixes, else lines of text.

    Args:
        reference: The file of references.
        hypothesis: The file of hypotheses.
        ids: Whether a line is an id, a tab and the text, and lines with the same id belong
            together. Else line n of one file belongs to line n of the other.

    Raises:
        BenchError: A file cannot be read, or the two do not match.
    """
    if (reference.suffix.lower(), hypothesis.suffix.lower()) == (".stm", ".ctm"):
        rows = _read_stm(reference), _read_ctm(hypothesis)
        return _match_ids(reference, rows[0], hypothesis, rows[1], missing="")
    if ids:
        rows = _read_tabbed(reference), _read_tabbed(hypothesis)
        return _match_ids(reference, rows[0], hypothesis, rows[1])
    return _match_lines(reference, hypothesis)


def read_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends.

    Raises:
        BenchError: The file cannot be read; the message has the line.
    """
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                content = line.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    # A byte order mark is not a character of the first line.
                    yield content.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise BenchError(
                        f"{file}:{number}: byte {error.start + 1} of the line is not UTF-8; "
                        "write the file as UTF-8"
                    ) from None
    except OSError as error:
        raise BenchError(
            f"{file}: it cannot be read ({error.strerror}); name a file of text"
        ) from None


def _match_lines(reference: Path, hypothesis: Path) -> Iterator[Sample]:
    lengths = [0, 0]
    pairs = zip_longest(read_lines(reference), read_lines(hypothesis))
    for number, (wanted, read) in enumerate(pairs, 1):
        lengths = [lengths[0] + (wanted is not None), lengths[1] + (read is not None)]
        if wanted is not None and read is not None:
            yield Sample(f"{reference}:{number}", wanted, read)
    if lengths[0] != lengths[1]:
        raise BenchError(
            f"{reference} has {lengths[0]:,} lines, {hypothesis} has {lengths[1]:,}: line n of one "
            "is compared with line n of the other; write an empty line where nothing was read"
        )


def _match_ids(
    reference: Path,
    references: Iterator[tuple[str, str]],
    hypothesis: Path,
    hypotheses: Iterator[tuple[str, str]],
    missing: str | None = None,
) -> Iterator[Sample]:
    # `missing` is the hypothesis of an id without one, None where that is a mistake.
    texts = dict(hypotheses)
    for name, text in references:
        if name not in texts and missing is None:
            raise BenchError(
                f"{hypothesis}: there is no {_quoted(name)}, which {reference} has; add its line"
            )
        yield Sample(f"{reference}: {_quoted(name)}", text, texts.pop(name, missing or ""))
    if texts:
        name = next(iter(texts))
        raise BenchError(
            f"{reference}: there is no {_quoted(name)}, which {hypothesis} has; remove it there"
        )


def _read_tabbed(file: Path) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, line in enumerate(read_lines(file), 1):
        name, tab, text = line.partition("\t")
        if not tab:
            raise BenchError(
                f"{file}:{number}: there is no tab; write an id, a tab and the text on each line"
            )
        yield _unique(name, seen, file, number), text


def _read_stm(file: Path) -> Iterator[tuple[str, str]]:
    # file channel speaker begin end [<label>] gloss…
    seen: set[str] = set()
    for number, line in enumerate(read_lines(file), 1):
        fields = line.split()
        if not fields or fields[0].startswith(_COMMENT):
            continue
        if len(fields) < len(_STM_FIELDS):
            raise BenchError(
                f"{file}:{number}: an STM line begins with five fields: {', '.join(_STM_FIELDS)}"
            )
        glosses = fields[len(_STM_FIELDS) :]
        if glosses and glosses[0].startswith("<") and glosses[0].endswith(">"):
            glosses = glosses[1:]
        yield _unique(fields[0], seen, file, number), " ".join(glosses)


def _read_ctm(file: Path) -> Iterator[tuple[str, str]]:
    # file channel begin duration gloss [confidence], in any order.
    utterances: dict[str, list[tuple[float, str]]] = {}
    for number, line in enumerate(read_lines(file), 1):
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
        utterances.setdefault(name, []).extend((begin, gloss) for gloss in fields[4:5])
    for name, timed in utterances.items():
        timed.sort(key=lambda item: item[0])
        yield name, " ".join(gloss for _, gloss in timed)


def _unique(name: str, seen: set[str], file: Path, number: int) -> str:
    if name in seen:
        raise BenchError(f"{file}:{number}: {_quoted(name)} occurs twice; keep one of its lines")
    seen.add(name)
    return name


def _quoted(name: str) -> str:
    # An id may be anything; what does not print never reaches a terminal.
    return repr(name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}…")

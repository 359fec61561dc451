"""References and hypotheses from text files: line by line, by id, or STM and CTM.

What ends a line is said by `bench.core.text_encodings.read_lines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bench.core import text_encodings
from bench.core.errors import BenchError
from bench.evaluation.metrics.scoring import Sample
from bench.evaluation.metrics.time_marked import read_time_marked

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
        return read_time_marked(
            reference, read_lines(reference), hypothesis, read_lines(hypothesis)
        )
    if ids:
        rows = _read_tabbed(reference), _read_tabbed(hypothesis)
        return _match_ids(reference, rows[0], hypothesis, rows[1])
    return _match_lines(reference, hypothesis)


def read_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a file without their ends.

    Raises:
        BenchError: The file cannot be read; the message has the line.
    """
    try:
        yield from text_encodings.read_lines(file)
    except text_encodings.NotTextError as error:
        raise BenchError(f"{file}:{error.line}: {error}") from None
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
) -> Iterator[Sample]:
    texts = dict(hypotheses)
    for name, text in references:
        if name not in texts:
            raise BenchError(
                f"{hypothesis}: there is no {_quoted(name)}, which {reference} has; add its line"
            )
        yield Sample(f"{reference}: {_quoted(name)}", text, texts.pop(name))
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
        if name in seen:
            raise BenchError(
                f"{file}:{number}: {_quoted(name)} occurs twice; keep one of its lines"
            )
        seen.add(name)
        yield name, text


def _quoted(name: str) -> str:
    # An id may be anything; what does not print never reaches a terminal.
    return repr(name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}…")

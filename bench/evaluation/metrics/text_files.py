"""References and hypotheses from text files: line by line, by id, or STM and CTM.

`bench.core.text_encodings.read_lines` defines encodings and line ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bench.core import text_encodings
from bench.core.errors import BenchError
from bench.evaluation.metrics.scoring import Sample
from bench.evaluation.metrics.time_marked import read_time_marked

_MAX_ID = 80
"""Characters of an id in a message; a longer one is cut."""


def read_samples(reference: Path, hypothesis: Path, *, ids: bool = False) -> Iterator[Sample]:
    """Yield the samples of two files: an STM and a CTM by their suffixes, else lines of text.

    Args:
        reference: The file of references.
        hypothesis: The file of hypotheses.
        ids: Whether each line is an id, a tab and a text, and samples are matched by id. If false,
            line n of one file is matched with line n of the other.

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
    """Yield the lines of a file without line ends.

    Raises:
        BenchError: The file cannot be read; the message has the line.
    """
    try:
        yield from text_encodings.read_lines(file)
    except text_encodings.NotTextError as error:
        raise BenchError(f"{file}:{error.line}: {error}") from None
    except OSError as error:
        raise BenchError(
            f"{file}: the file cannot be read ({error.strerror}); give a text file"
        ) from None


def _match_lines(reference: Path, hypothesis: Path) -> Iterator[Sample]:
    lengths = [0, 0]
    pairs = zip_longest(read_lines(reference), read_lines(hypothesis))
    for number, (expected, read) in enumerate(pairs, 1):
        lengths = [lengths[0] + (expected is not None), lengths[1] + (read is not None)]
        if expected is not None and read is not None:
            yield Sample(f"{reference}:{number}", expected, read)
    if lengths[0] != lengths[1]:
        raise BenchError(
            f"{reference} has {lengths[0]:,} lines, but {hypothesis} has {lengths[1]:,}: line n of "
            "one belongs to line n of the other; write an empty line where nothing was read"
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
                f"{hypothesis}: there is no line for {_quoted(name)}, which {reference} has; add it"
            )
        yield Sample(f"{reference}: {_quoted(name)}", text, texts.pop(name))
    if texts:
        name = next(iter(texts))
        raise BenchError(f"{hypothesis}: {_quoted(name)} is not in {reference}; remove its line")


def _read_tabbed(file: Path) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, line in enumerate(read_lines(file), 1):
        name, tab, text = line.partition("\t")
        if not tab:
            raise BenchError(
                f"{file}:{number}: the line has no tab; write an id, a tab and a text per line"
            )
        if name in seen:
            raise BenchError(
                f"{file}:{number}: {_quoted(name)} occurs twice; keep one of its lines"
            )
        seen.add(name)
        yield name, text


def _quoted(name: str) -> str:
    # repr escapes control characters, which an untrusted id may have.
    return repr(name if len(name) <= _MAX_ID else f"{name[:_MAX_ID]}…")

r"""A parser of n-gram language models in the ARPA text format, strict and bounded.

The format is that of SRILM's ngram-format(5): a header `\data\` with the number of n-grams of each
order, a section `\N-grams:` per order with lines of log10 probability, N tokens and log10 backoff
weight (0 where it is missing), and `\end\` at last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator
from typing import NamedTuple, NoReturn

from bench.core.errors import BenchError
from bench.core.files import existing_file, lines_of_file
from bench.core.printable import quoted

MAX_LINE = 8192
"""Characters of a line."""
MAX_ORDER = 20
MAX_NGRAMS = 10_000_000
"""Of all orders; more would take gigabytes of memory."""
MAX_TOKENS = 1_000_000
_COUNT = re.compile(r"ngram ([0-9]{1,9})\s*=\s*([0-9]{1,18})")
_LN_10 = math.log(10)


class NGram(NamedTuple):
    """One line of a model, in natural logarithms."""

    tokens: tuple[str, ...]
    log_probability: float
    backoff: float


def read_arpa(path: str, parameter: str, max_order: int = MAX_ORDER) -> Iterator[NGram]:
    """Yield the n-grams of an ARPA file up to an order, in the order of the file.

    Raises:
        BenchError: The file is missing, not text, too large, or violates the format; the message
            names the line.
    """
    yield from _Reader(path, parameter).ngrams(max_order)


class _Reader:
    def __init__(self, path: str, parameter: str) -> None:
        self._file = existing_file(path, parameter)
        self._parameter = parameter
        self._number = 0
        self._lines = self._numbered(lines_of_file(path, parameter, MAX_LINE))
        self._unigrams: set[str] = set()

    def ngrams(self, max_order: int) -> Iterator[NGram]:
        line = self._next()
        while line != "\\data\\":
            # SRILM allows any text before the header.
            line = self._next()
        counts, line = self._counts()
        for order, count in enumerate(counts, 1):
            if order > max_order:
                return
            if line != f"\\{order}-grams:":
                self._refuse(f"'\\{order}-grams:' is expected")
            line = yield from self._section(order, count, order == len(counts))
        if line != "\\end\\":
            self._refuse("'\\end\\' is expected")

    def _counts(self) -> tuple[list[int], str]:
        """Return the number of n-grams of each order from 1, and the line behind them."""
        counts: list[int] = []
        while not (line := self._next()).startswith("\\"):
            match = _COUNT.fullmatch(line)
            if not match or int(match[1]) != len(counts) + 1:
                self._refuse(f"'ngram {len(counts) + 1}=COUNT' is expected")
            counts.append(int(match[2]))
        if not counts or not counts[0]:
            self._refuse("the header declares no 1-grams")
        if len(counts) > MAX_ORDER:
            self._refuse(f"the order is {len(counts)}; at most {MAX_ORDER} is read")
        if counts[0] > MAX_TOKENS:
            self._refuse(f"the model has {counts[0]:,} tokens, at most {MAX_TOKENS:,} are read")
        if sum(counts) > MAX_NGRAMS:
            self._refuse(
                f"the model has {sum(counts):,} n-grams, at most {MAX_NGRAMS:,} are read; prune it"
            )
        return counts, line

    def _section(
        self,
        order: int,
        count: int,
        highest: bool,  # noqa: FBT001
    ) -> Generator[NGram, None, str]:
        """Yield the n-grams of one order and return the line behind them."""
        seen: set[tuple[str, ...]] = set()
        while not (line := self._next()).startswith("\\"):
            ngram = self._entry(line, order, highest)
            if ngram.tokens in seen:
                self._refuse(f"the n-gram {quoted(' '.join(ngram.tokens))} appears twice")
            seen.add(ngram.tokens)
            if len(seen) > count:
                self._refuse(f"more than the {count:,} {order}-grams that the header declares")
            yield ngram
        if len(seen) != count:
            self._refuse(
                f"the header declares {count:,} {order}-grams, but there are {len(seen):,}"
            )
        return line

    def _entry(self, line: str, order: int, highest: bool) -> NGram:  # noqa: FBT001
        columns = [column for column in line.replace("\t", " ").split(" ") if column]
        if len(columns) not in (order + 1, order + 2 - highest):
            self._refuse(
                f"a {order}-gram is a log10 probability, {order} tokens"
                f"{'' if highest else ' and perhaps a log10 backoff weight'}"
            )
        tokens = tuple(columns[1 : order + 1])
        if order == 1:
            self._unigrams.update(tokens)
        elif unknown := [token for token in tokens if token not in self._unigrams]:
            self._refuse(f"{quoted(unknown[0])} is not among the 1-grams")
        probability = self._logarithm(columns[0])
        if probability > 0:
            self._refuse(f"the log10 probability {quoted(columns[0])} is above 0")
        backoff = self._logarithm(columns[-1]) if len(columns) == order + 2 else 0.0
        return NGram(tokens, probability, backoff)

    def _logarithm(self, text: str) -> float:
        """Return a log10 value as a natural logarithm."""
        try:
            value = float(text) * _LN_10
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._refuse(f"{quoted(text)} is not a finite number")
        return value

    def _next(self) -> str:
        """Return the next line that is not blank."""
        line = next(filter(None, self._lines), None)
        if line is None:
            self._refuse("the file ends too early; is it an ARPA file, and complete?")
        return line

    def _numbered(self, lines: Iterator[str]) -> Iterator[str]:
        for self._number, line in enumerate(lines, 1):
            yield line.strip(" \t\r\n")

    def _refuse(self, fault: str) -> NoReturn:
        raise BenchError(f"line {self._number} of '{self._file}' of {self._parameter}: {fault}")

"""Tables in plain text and in Markdown: the same cells, columns aligned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.core.printable import escaped_markdown, printable, shortened, without_html
from bench.core.text_width import longest_word, middle_shortened, text_width, wrapped

Style = Literal["best", "done", "running", "stale", "invalid", "failed", "note"]
_CODES: dict[Style, str] = {
    "best": "1;32",
    "done": "32",
    "running": "36",
    "stale": "33",
    "invalid": "33",
    "failed": "31",
    "note": "2",
}
"""How a terminal with color shows each style: SGR parameters of ECMA-48."""
_GAP = "  "
_INDENT = "    "
_COMFORTABLE = 20
"""A cell of text is wrapped in no fewer columns as long as there is a column to leave out."""
_SHORT = 10
"""A heading of a number is not wrapped as long as it has no more columns."""
_LONG_WORD = 30
"""A longer word of the last column begins further to the left where it does not fit."""
_SHORTEST = 12
"""A word is shortened to no fewer columns."""
_FEWEST = 2
"""With fewer columns, none is left out, because a table of names alone is useless."""
_MAX_LISTED = 8
_TABS = "\t"


class Markup(str):
    """A cell that is Markdown already, such as a link; HTML in it is escaped all the same."""

    __slots__ = ()


class Styled(str):
    """A cell that a terminal with color shows in a style."""

    __slots__ = ("style",)
    style: Style

    def __new__(cls, text: str, style: Style) -> Styled:
        """Return `text` with a style."""
        made = super().__new__(cls, text)
        made.style = style
        return made


@dataclass(frozen=True)
class Table:
    """Cells of text.

    Attributes:
        headers: One per column; a table whose headers are all empty has no line of them.
        rows: The cells of each row.
        right: The headers of the columns that are flush right, which hold numbers.
        optional: The headers of the columns that a terminal leaves out where it is too narrow, in
            this order.
        hidden: What was left out of this table because the terminal is too narrow.
        briefer: The table that is printed instead where this one does not fit.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Collection[str] = ()
    optional: Sequence[str] = ()
    hidden: Sequence[str] = ()
    briefer: Table | None = None

    def markdown(self) -> str:
        """Return it as a Markdown table."""
        return markdown(self.headers, self.rows, self.right)

    def plain(self, width: int | None = None, *, color: bool = False) -> str:
        """Return it for a terminal.

        Where `width` columns are too few, these are tried in order: wrap text at words; print the
        briefer table or, without one, leave out the optional columns one by one; put the last
        column below its row if it is text; wrap narrower cells; shorten long words in the middle.

        Args:
            width: How many columns the terminal has; None for any number.
            color: Whether it shows color.
        """
        layout, left_out = _Layout.from_table(self), [*self.hidden]
        if width is not None:
            optional = [header for header in self.optional if header in self.headers]
            fitted = layout.fitted(width)
            if not fitted and self.briefer:
                return self.briefer.plain(width, color=color)
            while not fitted and optional and len(layout.columns) > _FEWEST:
                left_out.append(optional.pop(0))
                layout = layout.without(left_out[-1])
                fitted = layout.fitted(width)
            layout = fitted or layout.squeezed(width)
            left_out += ["the middle of long words"] if layout.shortens else []
        lines = [*layout.lines(color=color)]
        if left_out:
            more = len(left_out) - _MAX_LISTED
            listed = ", ".join(left_out[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
            note = f"(left out for width: {listed}; --wide shows all)"
            lines += [_styled(line, "note", color=color) for line in wrapped(note, width)]
        return "\n".join(lines)


Text = str | Table | Sequence[str | Table]
"""Paragraphs and tables, printed with an empty line between them."""


def draw(text: Text, width: int | None = None, *, wide: bool = False, color: bool = False) -> str:
    """Return paragraphs and tables for a terminal, without control characters except for colors.

    Args:
        text: The paragraphs and tables; each line of a paragraph is wrapped by itself.
        width: How many columns the terminal has; None for any number.
        wide: Whether tables may be wider.
        color: Whether it shows color.
    """
    return "\n\n".join(
        block.plain(None if wide else width, color=color)
        if isinstance(block, Table)
        else _paragraph(block, width)
        for block in ([text] if isinstance(text, str | Table) else text)
    )


def _paragraph(text: str, width: int | None) -> str:
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        lines += wrapped(printable(line, _TABS), width, indent)
    return "\n".join(lines)


@dataclass(frozen=True)
class _Column:
    """A column of a table.

    Attributes:
        header: Its header.
        cells: What is printed, the header first.
        right: Whether it is flush right.
        natural: The width of its widest cell.
        number: The least width without a number in two lines.
        word: The width of its longest word.
    """

    header: str
    cells: list[str]
    right: bool
    natural: int
    number: int
    word: int

    @classmethod
    def from_cells(cls, header: str, cells: Sequence[str], *, right: bool) -> _Column:
        # A line end within a cell would break the table.
        texts = [_printable_cell(cell) for cell in [header, *cells]]
        cell_widths = [text_width(cell) for cell in texts]
        word = max(map(longest_word, texts))
        # A short heading such as `ms b1` is not worth a second line.
        heading = cell_widths[0] if cell_widths[0] <= _SHORT else longest_word(texts[0])
        number = max([heading, *cell_widths[1:]])
        return cls(header, texts, right, max(cell_widths), number, word)

    @property
    def comfortable(self) -> int:
        """The width that is easy to read: numbers in one line, text not in a narrow column."""
        return self.number if self.right else max(self.word, min(self.natural, _COMFORTABLE))

    @property
    def comfortable_as_last(self) -> int:
        """The same, where its longest words may begin further to the left."""
        return self.comfortable if self.right else min(self.comfortable, _LONG_WORD)


@dataclass(frozen=True)
class _Layout:
    """Columns of a table with their widths.

    Attributes:
        columns: The columns, without what is below.
        widths: How many columns of the terminal each has.
        below: The column whose cells are on lines of their own, below their row.
        available: How many columns the terminal has; None for any number.
    """

    columns: list[_Column]
    widths: list[int]
    below: _Column | None = None
    available: int | None = None

    @classmethod
    def from_table(cls, table: Table) -> _Layout:
        """Return the columns of a table, each as wide as its widest cell."""
        columns = [
            _Column.from_cells(
                header, [row[index] for row in table.rows], right=header in table.right
            )
            for index, header in enumerate(table.headers)
        ]
        return cls(columns, [column.natural for column in columns])

    @property
    def shortens(self) -> bool:
        """Whether a word loses its middle."""
        whole = len(self.columns) - self._ends_whole
        return any(
            column.word > width
            for column, width in zip(self.columns[:whole], self.widths, strict=False)
        )

    @property
    def _ends_whole(self) -> bool:
        """Whether words of the last column are never shortened: nothing is to the right of them."""
        return not self.columns[-1].right and self.below is None

    def without(self, header: str) -> _Layout:
        """Return it without a column."""
        columns = [column for column in self.columns if column.header != header]
        return _Layout(columns, [column.natural for column in columns])

    def fitted(self, width: int) -> _Layout | None:
        """Return it with text wrapped so that all columns fit; None if they cannot."""
        *others, last = self.columns
        end = last.comfortable if self.below else last.comfortable_as_last
        return self._narrowed([*(column.comfortable for column in others), end], width)

    def squeezed(self, width: int) -> _Layout:
        """Return it in as few terminal columns as possible."""
        *others, last = self.columns
        if others and not last.right:
            apart = _Layout(others, [column.natural for column in others], last)
            if fitted := apart.fitted(width):
                return fitted
        words = [column.word for column in self.columns]
        numbers = [c.number if c.right else c.word for c in self.columns]
        shortest = [min(word, _SHORTEST) for word in words]
        for least in (numbers, words, shortest):
            if fitted := self._narrowed(least, width):
                return fitted
        return replace(self, widths=shortest, available=width)

    def lines(self, *, color: bool) -> Iterator[str]:
        """Yield the lines of all rows, the header first."""
        has_header = any(column.header for column in self.columns)
        for row in range(0 if has_header else 1, len(self.columns[0].cells)):
            cells = [column.cells[row] for column in self.columns]
            below = self.below.cells[row] if self.below else ""
            if any(cells) or not below:
                yield from self._row(cells, color=color)
            if below:
                available = None if self.available is None else self.available - len(_INDENT)
                for line in wrapped(below, available):
                    indent = (
                        "" if available is not None and text_width(line) > available else _INDENT
                    )
                    yield indent + _styled(line, _style(below), color=color)

    def _row(self, cells: Sequence[str], *, color: bool) -> Iterator[str]:
        parts = [self._cell(index, cell) for index, cell in enumerate(cells)]
        for number in range(max(map(len, parts))):
            line = []
            for cell, lines, column, width in zip(
                cells, parts, self.columns, self.widths, strict=True
            ):
                text = lines[number] if number < len(lines) else ""
                space = " " * (width - text_width(text))
                styled = _styled(text, _style(cell), color=color)
                line.append(f"{space}{styled}" if column.right else f"{styled}{space}")
                if text_width(text) > width and self.available is not None:
                    line = [f"{' ' * (self.available - text_width(text))}{styled}"]
            yield _GAP.join(line).rstrip(" ")

    def _cell(self, index: int, cell: str) -> list[str]:
        """Return the lines of a cell; a word that is too long for the last column is below."""
        width = self.widths[index]
        if index < len(self.columns) - 1 or not self._ends_whole:
            return _cell_lines(cell, width)
        lines = wrapped(cell, width)
        return ["", *lines] if index and text_width(lines[0]) > width else lines

    def _narrowed(self, least: Sequence[int], width: int) -> _Layout | None:
        """Return it with the widest columns narrowed until all fit; None if they cannot."""
        available = width - len(_GAP) * (len(least) - 1)
        if sum(least) > available:
            return None
        widths = [*self.widths]
        while sum(widths) > available:
            over = [index for index, each in enumerate(widths) if each > least[index]]
            widths[max(over, key=lambda index: widths[index])] -= 1
        # Wrapped cells may be narrower than their column.
        used = [
            given
            if given >= column.natural
            else max(text_width(line) for cell in column.cells for line in _cell_lines(cell, given))
            for column, given in zip(self.columns, widths, strict=True)
        ]
        return replace(self, widths=used, available=width)


def markdown(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()
) -> str:
    """Write a Markdown table; cells are shown as they are, but for those that are `Markup`."""
    rules = ["---:" if header in right else "---" for header in headers]
    head, *lines = ([_markdown_cell(cell) for cell in row] for row in [headers, *rows])
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rules, *lines])


def _markdown_cell(cell: str) -> str:
    escaped = without_html(shortened(cell)) if isinstance(cell, Markup) else escaped_markdown(cell)
    return escaped.replace("|", "\\|")


def magnitude(count: int) -> str:
    """Write a large number with three digits: 7,204,192 is 7.20 M."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            digits = 2 - int(count >= 9.995 * size) - int(count >= 99.95 * size)
            return f"{count / size:.{max(digits, 0)}f} {unit}"
    return str(count)


def mebibytes(count: int) -> str:
    """Write a number of bytes in MiB, rounded up."""
    return f"{-(-count // 2**20):,}"


def _printable_cell(cell: str) -> str:
    """Return a cell in one printable line, in its style."""
    return Styled(shortened(cell), cell.style) if isinstance(cell, Styled) else shortened(cell)


def _cell_lines(cell: str, width: int) -> list[str]:
    """Return a cell in lines of at most `width` columns; longer words lose their middle."""
    if text_width(cell) <= width:
        return [cell]
    if longest_word(cell) > width:
        words = cell.split(" ")
        cell = " ".join(
            middle_shortened(word, width) if longest_word(word) > width else word for word in words
        )
    return wrapped(cell, width)


def _style(cell: str) -> Style | None:
    return cell.style if isinstance(cell, Styled) else None


def _styled(text: str, style: Style | None, *, color: bool) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and style and text else text

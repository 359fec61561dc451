"""The card of a data set as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from bench.core.text_table import Table

if TYPE_CHECKING:
    from bench.data.cards import Card, RawLayout, Statistics

_MAX_COLUMNS = 100
_MAX_LINES = 4
"""Columns and lines of an example of annotations that are printed."""


def card_text(card: Card) -> list[str | Table]:
    """Return all sections of a card."""
    sections = [
        _heading(card),
        _splits(card),
        _listed(_source(card)),
        *(block for layout in card.layouts for block in _layout(card, layout)),
        _listed((f"counted in {each.split}", _counted(each)) for each in card.statistics),
        _listed(
            [
                *(("download", f"{d.file}: {d.size:,} bytes") for d in card.downloads),
                *((f"{c.algorithm} of", f"{c.file}: {c.digest} {c.about}") for c in card.checksums),
                *(("overlaps", f"{o.dataset}: {o.about}") for o in card.overlaps),
                *(("note", note) for note in card.notes),
            ]
        ),
    ]
    return [section for section in sections if section]


def _heading(card: Card) -> str:
    called = f"; also called {', '.join(card.aliases)}" if card.aliases else ""
    return f"{card.name}: {card.about}\n{card.task}, protocol {card.protocol}{called}"


def _splits(card: Card) -> Table:
    headers = ["split", "train", "validation", "test", "of", ""]
    rows = [
        [
            ", also ".join([split.name or "the only one", *split.aliases]),
            *(_value_text(count) for count in (split.train, split.validation, split.test)),
            split.unit,
            split.about,
        ]
        for split in card.splits
    ]
    return Table(headers, rows, ("train", "validation", "test"))


def _source(card: Card) -> Iterable[tuple[str, str]]:
    source = card.source
    yield "source", f"{source.title}; {source.authors}"
    yield "page", source.page
    yield "license", source.licence
    if source.registration:
        yield "registration", "needed"
    yield "to get it", source.how_to_get


def _layout(card: Card, layout: RawLayout) -> Iterator[str | Table]:
    yield Table(
        ["", ""],
        [
            (f"layout {layout.name}", layout.about),
            *(("file", file) for file in layout.files),
            ("annotation", layout.annotation),
        ],
    )
    sample = (card.path / layout.sample).read_text(encoding="utf-8").splitlines()[:_MAX_LINES]
    if sample:
        yield "\n".join(f"  {line[:_MAX_COLUMNS]}" for line in sample)


def _counted(statistics: Statistics) -> str:
    """Return the counts of a split."""
    values = {
        field.name.replace("_", " "): getattr(statistics, field.name)
        for field in fields(statistics)
        if field.name not in {"split", "about"}
    }
    parts = [f"{name} {_value_text(value)}" for name, value in values.items() if value is not None]
    return f"{statistics.about}: {'; '.join(parts)}"


def _value_text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return " ".join(map(_value_text, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(rows: Iterable[tuple[str, str]]) -> Table | None:
    """Return a table of labels and texts; None without rows."""
    listed = [*rows]
    return Table(["", ""], listed) if listed else None

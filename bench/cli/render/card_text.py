"""A dataset's card as text for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from textwrap import wrap
from typing import TYPE_CHECKING

from bench.core import text_table

if TYPE_CHECKING:
    from bench.data.cards import Card, Layout, Statistics

_WIDTH = 100
_SHOWN = 4
"""Lines of a sample that are shown."""


def described(card: Card) -> str:
    """Return everything that the card says, section by section."""
    sections = [
        _heading(card),
        _splits(card),
        _listed(_source(card)),
        *(_layout(card, layout) for layout in card.layouts),
        _listed((f"counted in {each.split}", _counted(each)) for each in card.statistics),
        _listed(
            [
                *((f"{c.algorithm} of", f"{c.file}: {c.digest} {c.about}") for c in card.checksums),
                *(("overlaps", f"{o.dataset}: {o.about}") for o in card.overlaps),
                *(("note", note) for note in card.notes),
            ]
        ),
    ]
    return "\n\n".join(filter(None, sections))


def _heading(card: Card) -> str:
    called = f"; also called {', '.join(card.aliases)}" if card.aliases else ""
    return f"{card.name}: {card.about}\n{card.task}, protocol {card.protocol}{called}"


def _splits(card: Card) -> str:
    headers = ["split", "train", "validation", "test", "of", ""]
    rows = [
        [
            ", also ".join([split.name or "the only one", *split.aliases]),
            *(_shown(count) for count in (split.train, split.validation, split.test)),
            split.unit,
            split.about,
        ]
        for split in card.splits
    ]
    return text_table.plain(headers, rows, "train,validation,test")


def _source(card: Card) -> Iterable[tuple[str, str]]:
    source = card.source
    yield "source", f"{source.title}; {source.authors}"
    yield "page", source.page
    yield "licence", source.licence
    if source.registration:
        yield "registration", "needed"
    yield "to get it", source.how_to_get


def _layout(card: Card, layout: Layout) -> str:
    items = [
        (f"layout {layout.name}", layout.about),
        *(("file", file) for file in layout.files),
        ("annotation", layout.annotation),
    ]
    sample = (card.path / layout.sample).read_text(encoding="utf-8").splitlines()[:_SHOWN]
    return "\n".join([_listed(items), *(f"  {line[:_WIDTH]}" for line in sample)])


def _counted(statistics: Statistics) -> str:
    """Return what was counted in a split, quantity by quantity."""
    values = {
        field.name.replace("_", " "): getattr(statistics, field.name)
        for field in fields(statistics)
        if field.name not in {"split", "about"}
    }
    parts = [f"{name} {_shown(value)}" for name, value in values.items() if value is not None]
    return f"{statistics.about}: {'; '.join(parts)}"


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return " ".join(map(_shown, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(rows: Iterable[tuple[str, str]]) -> str:
    """Return each row as a label and its text, wrapped beside it."""
    rows = list(rows)
    room = max((len(label) for label, _ in rows), default=0) + 2
    lines = []
    for label, text in rows:
        # Paths and digests stay whole.
        wrapped = wrap(text, _WIDTH - room, break_long_words=False, break_on_hyphens=False)
        first, *others = wrapped or [""]
        lines += [f"{label:<{room}}{first}", *(" " * room + other for other in others)]
    return "\n".join(lines)

"""Rows of a suite that bench does not train: recognizers from outside, and published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.config.suite import Published, RecognizerEntry
from bench.core import registry
from bench.core.errors import did_you_mean
from bench.core.names import MAX_LABEL, text_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.config.assemble import Maker
    from bench.config.suite import Column, SuiteTable
    from bench.core.components import Recognizer

_MAX_TEXT = 1000
"""Characters of the source and of the note of a published figure."""


def recognizer_entries(
    make: Maker,
    table: SuiteTable,
    columns: Sequence[Column],
    inherited: Sequence[RecognizerEntry],
) -> tuple[RecognizerEntry, ...]:
    """Return the recognizers of a suite, after those that it inherits.

    Raises:
        BenchError: One cannot read a test set, or two would have the same name on boards.
    """
    if not table.recognizers:
        return tuple(inherited)
    entries = [*inherited]
    for listed in make.all("recognizer", table.recognizers, "recognizers"):
        reader: Recognizer = listed.component
        for column in columns:
            if column.test.gives != reader.accepts and reader.origin != "predictions":
                fault = (
                    f"recognizer '{reader.name}' reads {reader.accepts}, test set "
                    f"'{column.name}' gives {column.test.gives}; remove one of them"
                )
                raise make.config.error(fault, make.section, "recognizers", reader.name)
        stated = reader.training_data if listed.trained_on is None else listed.trained_on
        trained_on = None if stated is None else tuple(stated)
        entry = RecognizerEntry(reader, listed.label, trained_on)
        if entry in inherited:
            continue
        if entry.name in {each.name for each in entries}:
            fault = (
                f"two recognizers are called '{entry.name}' on boards; set a label for one of them"
            )
            raise make.config.error(fault, make.section, "recognizers", reader.name)
        entries.append(entry)
    return tuple(entries)


def published_figures(
    make: Maker, table: SuiteTable, columns: Sequence[Column]
) -> Iterator[Published]:
    """Yield the published figures. Raises BenchError for an unknown test set."""
    names = [column.name for column in columns]
    for number, row in enumerate(table.published):
        section = f"{make.section}.published[{number}]"
        published = make.config.fill(Published, section, row)
        for key, text, longest in (
            ("label", published.label, MAX_LABEL),
            ("source", published.source, _MAX_TEXT),
            ("note", published.note or "none", _MAX_TEXT),
        ):
            if misfit := text_fault(key, text, longest):
                raise make.config.error(misfit, section, key)
        for name in published.scores:
            if name not in names:
                fault = f"'{name}' is not a test set of this suite{did_you_mean(name, names)}"
                raise make.config.error(fault, section, "scores", name)
        yield published


def recognizer_name(table: dict[str, Any]) -> str | None:
    """Return the recognizer of a table without `name`: the one whose name is one of its keys."""
    named = [key for key in table if key in registry.everything("recognizer")]
    return named[0] if len(named) == 1 else None

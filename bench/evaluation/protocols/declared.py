"""Protocols that bench.toml declares in `[protocol.NAME]` tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bench.core.errors import BenchError
from bench.core.local_paths import local_path
from bench.core.schema import PositiveInt, SchemaError, fill
from bench.core.text_encodings import NotTextError, read_lines
from bench.evaluation.metrics.metric import find_metric
from bench.evaluation.protocols.protocol import (
    Case,
    Outside,
    Protocol,
    UnicodeForm,
    Unit,
    Whitespace,
)

_DEFAULT_METRICS: dict[str, tuple[str, ...]] = {
    "words": ("sequence-accuracy", "cer", "one-minus-ned", "ccr"),
    "lines": ("cer", "wer", "sequence-accuracy"),
    "bytes": ("cer", "sequence-accuracy"),
    "glosses": ("wer", "sequence-accuracy"),
}


@dataclass(frozen=True)
class ProtocolTable:
    """The keys of a `[protocol.NAME]` table; `Protocol` describes those that are not listed here.

    Attributes:
        charset: The characters that are compared. All are if this and `charset_file` are empty.
        charset_file: A file with these characters instead, one per line or all on one line. The
            path is relative to the folder of bench.toml.
        metrics: The names of the metrics to report. If empty, those that the protocols of bench
            report for words, lines, bytes or glosses.
        ranked_by: The metric by which boards rank. If empty, the first of the metrics.
    """

    about: str = ""
    charset: str = ""
    charset_file: str = ""
    unit: Unit = "character"
    unicode: UnicodeForm = ""
    case: Case = ""
    whitespace: Whitespace = ""
    outside: Outside = "exclude"
    word_rule: Literal["", "spaces", "marks"] = ""
    costs: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 1, 1)
    metrics: tuple[str, ...] = ()
    ranked_by: str = ""


def declare_protocol(name: str, table: dict[str, Any], folder: Path = Path()) -> Protocol:
    """Return the protocol that a table of bench.toml declares.

    The spec of the protocol has the characters of the charset, not the path of their file.

    Args:
        name: The name in bench.toml, which must not be that of a protocol of bench.
        table: The table, with the keys of `ProtocolTable`.
        folder: The folder to which the path of a charset file is relative.

    Raises:
        SchemaError: A key or a value is wrong.
    """
    from bench.evaluation.protocols import PROTOCOLS

    if name in PROTOCOLS:
        raise SchemaError("", f"protocol '{name}' is one of bench itself; rename this one")
    values = fill(ProtocolTable, table)
    protocol = Protocol(
        name=name,
        version=1,
        about=values.about,
        charset=_charset(values, folder),
        unit=values.unit,
        # Only in a normal form do canonically equivalent texts have the same grapheme clusters.
        unicode=values.unicode or ("NFC" if values.unit == "grapheme" else ""),
        case=values.case,
        whitespace=values.whitespace,
        outside=values.outside,
        word_rule=values.word_rule,
        costs=values.costs,
    )
    _check_rules(protocol)
    _check_charset(protocol, "charset_file" if values.charset_file else "charset")
    return _with_metrics(protocol, values)


def _charset(table: ProtocolTable, folder: Path) -> str:
    if not table.charset_file:
        return table.charset
    key = "charset_file"
    if table.charset:
        raise SchemaError(key, "'charset' and 'charset_file' are both set; remove one")
    try:
        file = folder / local_path(table.charset_file)
    except BenchError as error:
        raise SchemaError(key, f"charset_file: {error}") from None
    try:
        lines = [line for line in read_lines(file) if line]
    except NotTextError as error:
        raise SchemaError(key, f"charset_file {file}: line {error.line}: {error}") from None
    except OSError as error:
        raise SchemaError(
            key, f"charset_file {file} cannot be read ({error.strerror}); give a file of characters"
        ) from None
    if len(lines) != 1 and any(len(line) != 1 for line in lines):
        raise SchemaError(
            key, f"charset_file {file}: write one character per line, or all on one line"
        )
    if not lines:
        raise SchemaError(key, f"charset_file {file} is empty; write the characters into it")
    return "".join(lines)


def _check_rules(protocol: Protocol) -> None:
    if protocol.outside == "drop" and not protocol.charset:
        raise SchemaError(
            "outside", "outside = 'drop' needs a charset; set 'charset' or 'charset_file'"
        )
    if protocol.unit == "gloss" and protocol.charset:
        raise SchemaError("unit", "unit = 'gloss' compares no characters; remove the charset")
    if protocol.unit == "gloss" and protocol.word_rule:
        raise SchemaError("word_rule", "unit = 'gloss' counts glosses as words; remove word_rule")


def _check_charset(protocol: Protocol, key: str) -> None:
    """Raise SchemaError if a character occurs twice or cannot occur in a normalized text."""
    rules = replace(protocol, charset="", outside="exclude", whitespace="")
    seen: set[str] = set()
    for character in protocol.charset:
        if character in seen:
            raise SchemaError(key, f"{key} has {character!r} twice; remove one")
        seen.add(character)
        normalized = rules.normalize(character)
        if normalized != character:
            raise SchemaError(
                key,
                f"{key} has {character!r}, which 'unicode' or 'case' changes to {normalized!r}, so "
                "it never matches; change the charset or these rules",
            )


def _with_metrics(protocol: Protocol, table: ProtocolTable) -> Protocol:
    metrics = table.metrics or _DEFAULT_METRICS[_family(protocol)]
    for index, name in enumerate(metrics):
        try:
            metric = find_metric(name)
        except BenchError as error:
            raise SchemaError("metrics", str(error), name) from None
        if name in metrics[:index]:
            raise SchemaError("metrics", f"metric '{name}' is listed twice; remove one", name)
        if not metric.defined_for(protocol):
            raise SchemaError(
                "metrics",
                f"metric '{name}' is not defined for unit = '{protocol.unit}' and "
                f"word_rule = '{protocol.word_rule}'; remove the metric, or change these keys",
                name,
            )
    ranked_by = table.ranked_by or metrics[0]
    if ranked_by not in metrics:
        raise SchemaError(
            "ranked_by",
            f"ranked_by = '{ranked_by}' is not one of the metrics {', '.join(metrics)}; add it to "
            "'metrics', or choose one of them",
        )
    return replace(protocol, metrics=metrics, ranked_by=ranked_by)


def _family(protocol: Protocol) -> str:
    if protocol.unit == "gloss":
        return "glosses"
    if protocol.unit == "byte":
        return "bytes"
    return "lines" if protocol.word_rule else "words"

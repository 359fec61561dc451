"""A score as text for a person."""

from __future__ import annotations

from collections.abc import Sequence

from bench.cli.render import text_table
from bench.evaluation.metrics.scoring import Confusion, OfLength, Score

CONFUSIONS = 10
REASONS = 10
_NOTHING = "–"
_PLURAL = {"character": "characters", "byte": "bytes", "gloss": "glosses"}


def text(score: Score) -> str:
    """Describe a score: what was scored, rates with their counts, lengths, confusions."""
    parts = [_scored(score), _rates(score), _lengths(score.by_length)]
    if score.confusions:
        parts.append(_confusions(score.confusions))
    return "\n\n".join(parts)


def _scored(score: Score) -> str:
    said = score.protocol
    excluded = score.rates.excluded
    lines = [
        f"protocol {said['name']} v{said['version']} ({score.key})",
        f"{score.rates.samples:,} samples scored, {sum(excluded.values()):,} excluded"
        + (f"; {score.normalised:,} scored references changed by it" if score.normalised else ""),
    ]
    ranked = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    lines += [f"  {count:,} excluded: {_shown(reason)[:100]}" for reason, count in ranked[:REASONS]]
    if len(ranked) > REASONS:
        lines.append(f"  and for {len(ranked) - REASONS:,} other reasons")
    return "\n".join(lines)


def _rates(score: Score) -> str:
    rates, unit = score.rates, score.protocol["unit"]
    units = _PLURAL[unit]
    words = f"{rates.words.edits:,} / {rates.words.length:,}" if rates.words else ""
    rows = [
        ["CER", _percent(score.cer), f"{rates.edits:,} edits / {rates.length:,} {units}"],
        ["WER", _percent(score.wer), f"{words} {'glosses' if unit == 'gloss' else 'words'}"],
        ["accuracy", _percent(rates.sequence_accuracy), f"{rates.correct:,} / {rates.samples:,}"],
        ["1 − NED", _percent(score.one_minus_ned), ""],
        ["CCR", _percent(score.ccr), f"{rates.placed or 0:,} / {rates.length:,} in their place"],
        ["batches", _percent(score.batch_cer), "mean CER of batches, in order"],
    ]
    if score.batch_cer is None:
        rows.pop()
    rows = [row if row[1] != _NOTHING else [*row[:2], "not of this protocol"] for row in rows]
    counted = f"{score.substitutions:,} substituted, {score.insertions:,} inserted, "
    return (
        text_table.plain(["metric", "%", "of"], rows, "%")
        + f"\n{counted}{score.deletions:,} deleted ({units})"
    )


def _lengths(found: Sequence[OfLength]) -> str:
    # 1, 2–3, 4–7, …: lines have too many lengths to list.
    rows = []
    first = 1
    while found and first <= found[-1].length:
        here = [one for one in found if first <= one.length < 2 * first]
        samples, correct = sum(one.samples for one in here), sum(one.correct for one in here)
        if samples:
            span = f"{first}" if first == 1 else f"{first}–{2 * first - 1}"
            rows.append([span, f"{samples:,}", _percent(correct / samples)])
        first *= 2
    return text_table.plain(["length", "samples", "accuracy %"], rows, "length,samples,accuracy %")


def _confusions(found: Sequence[Confusion]) -> str:
    rows = [
        [_shown(kind.reference), _shown(kind.hypothesis), f"{kind.count:,}"]
        for kind in found[:CONFUSIONS]
    ]
    return text_table.plain(["reference", "read as", "times"], rows, "times")


def _shown(unit: str) -> str:
    if not unit:
        return "(nothing)"
    # What does not print, a space or a control character of a file, never reaches a terminal.
    return unit if unit.isprintable() and not unit.isspace() else repr(unit)


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{100 * share:.2f}"

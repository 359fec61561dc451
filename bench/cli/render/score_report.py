"""The report of `bench score` as text."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.text_table import Table
from bench.evaluation.metrics.metric import find_metric
from bench.evaluation.metrics.scoring import Confusion, LengthAccuracy, Score

MAX_CONFUSIONS = 10
MAX_REASONS = 10
MAX_DROPPED = 20
_UNITS = {"character": "characters", "byte": "bytes", "gloss": "glosses"}


def score_text(score: Score) -> list[str | Table]:
    """Return counts of samples, metrics with their counts, accuracy by length, and confusions."""
    parts = [_scored(score), *_metrics(score), _lengths(score.by_length)]
    return [*parts, _confusions(score.confusions)] if score.confusions else parts


def _scored(score: Score) -> str:
    changed = f"; {score.normalized:,} scored references changed by it" if score.normalized else ""
    lines = [
        f"protocol {score.protocol['name']} v{score.protocol['version']} ({score.key})",
        f"{score.samples:,} samples scored, {sum(score.excluded.values()):,} excluded{changed}",
    ]
    ranked = _most_frequent(score.excluded)
    lines += [
        f"  {count:,} excluded: {_printable(reason)[:100]}"
        for reason, count in ranked[:MAX_REASONS]
    ]
    if len(ranked) > MAX_REASONS:
        lines.append(f"  and for {len(ranked) - MAX_REASONS:,} other reasons")
    if score.dropped:
        ranked = _most_frequent(score.dropped)
        kinds = [f"{_printable(letter)} ({count:,})" for letter, count in ranked[:MAX_DROPPED]]
        more = f" and {len(ranked) - MAX_DROPPED:,} more" if len(ranked) > MAX_DROPPED else ""
        lines.append(f"characters dropped from references: {', '.join(kinds)}{more}")
    return "\n".join(lines)


def _metrics(score: Score) -> list[str | Table]:
    units = _UNITS[score.protocol["unit"]]
    words = units if units == "glosses" else "words"
    rows = []
    for name, value in score.metrics.items():
        metric = find_metric(name)
        counts = ""
        if metric.ratio:
            above, below = metric.ratio
            below = {"units": units, "words": words}.get(below, below)
            counts = f"{value.numerator:,} {above} / {value.denominator:,} {below}"
        rows.append([metric.title, f"{metric.format(value.value)} {metric.unit}", counts])
    if score.batch_mean is not None:
        metric = find_metric(score.protocol["ranked_by"])
        mean = f"{metric.format(score.batch_mean)} {metric.unit}"
        size = score.protocol["batch"]
        rows.append([f"{metric.title} of batches", mean, f"mean over batches of {size}, in order"])
    edits = (
        f"{score.substitutions:,} substituted, {score.insertions:,} inserted, "
        f"{score.deletions:,} deleted ({units})"
    )
    return [Table(["metric", "value", "of"], rows, ["value"]), edits]


def _lengths(lengths: Sequence[LengthAccuracy]) -> Table:
    # In groups 1, 2–3, 4–7, …, because lines have too many different lengths.
    rows = []
    first = 1
    while lengths and first <= lengths[-1].length:
        group = [each for each in lengths if first <= each.length < 2 * first]
        samples, correct = sum(each.samples for each in group), sum(each.correct for each in group)
        if samples:
            span = f"{first}" if first == 1 else f"{first}–{2 * first - 1}"
            rows.append([span, f"{samples:,}", f"{100 * correct / samples:.2f}"])
        first *= 2
    headers = ["length", "samples", "correct %"]
    return Table(headers, rows, headers)


def _confusions(confusions: Sequence[Confusion]) -> Table:
    rows = [
        [_printable(kind.reference), _printable(kind.hypothesis), f"{kind.count:,}"]
        for kind in confusions[:MAX_CONFUSIONS]
    ]
    return Table(["reference", "read as", "times"], rows, ["times"])


def _most_frequent(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _printable(unit: str) -> str:
    if not unit:
        return "(nothing)"
    # Spaces and control characters are escaped.
    return unit if unit.isprintable() and not unit.isspace() else repr(unit)

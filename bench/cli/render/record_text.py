"""Records of trainings, evaluations and failures as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from bench.cli.render import descriptions
from bench.core import text_table
from bench.core.documents import with_texts
from bench.core.printable import shortened
from bench.core.text_table import Table
from bench.evaluation.metrics import metric
from bench.trials.records import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from bench.evaluation.metrics.localization import Localization
    from bench.evaluation.predictions import WorstSample
    from bench.trials.provenance import Provenance
    from bench.trials.records import (
        EvaluationRecord,
        Profile,
        Record,
        TrainingRecord,
    )

Document = TypeVar("Document")


def training(
    record: TrainingRecord, folder: Path, users: Sequence[EvaluationRecord]
) -> list[str | Table]:
    """Return the text of a training: learning curve, evaluations that use it, and cost."""
    record, users = _safe(record), [*map(_safe, users)]
    return [_title(record, folder), *_curve(record), *_evaluations_using(users), _cost(record)]


def evaluation(
    record: EvaluationRecord,
    trained: TrainingRecord | None,
    folder: Path,
    worst: Sequence[WorstSample],
    localization: Localization | None,
    profiles: Sequence[Profile],
) -> list[str | Table]:
    """Return the text of an evaluation.

    It has scores, worst samples, the localization of labels, latencies and the training; for a
    recognizer from outside its cost and remarks instead of the training.
    """
    record, trained = _safe(record), trained and _safe(trained)
    rows = [[str(value) for value in sample] for sample in worst]
    measured = (block for profile in profiles for block in descriptions.profiles([_safe(profile)]))
    return [
        _title(record, folder),
        *_scores(record),
        Table(["worst samples", "reference", "read as", "edits"], rows, ["edits"]),
        *([_localization(localization)] if localization else []),
        *measured,
        *(
            [f"training {trained.key}", *_curve(trained), _cost(trained)]
            if trained
            else [_recognizer_text(record)]
        ),
    ]


def _safe(document: Document) -> Document:
    """Return a record whose texts are safe to print; others may have written it."""
    return with_texts(document, shortened)


def _recognizer_text(record: EvaluationRecord) -> str:
    """Return remarks, cost and machine of an evaluation of a recognizer from outside."""
    lines = [f"{count:,} {remark}" for remark, count in record.remarks.items()]
    if record.parameters is not None:
        lines.append(f"{record.parameters:,} parameters")
    if record.price is not None:
        lines.append(f"{record.price:.4f} US dollars")
    return "\n".join([*lines, f"{record.seconds:.1f} s in all", _origin(record.provenance)])


def failure(failed: Failure, folder: Path) -> str:
    """Return the text of a failed task: all attempts, and the path of its log."""
    failed = _safe(failed)
    attempts = "\n".join(
        f"failed at {each.finished} ({each.cause}): {each.reason}" for each in failed.attempts
    )
    return (
        f"{_title(failed, folder)}\n\n{attempts}\nThe log of the last attempt: {folder / 'log.txt'}"
    )


def _title(record: Record | Failure, folder: Path) -> str:
    names = " · ".join(record.labels.values())
    title = f"{names} · seed {record.seed}\n{record.key}  {folder}"
    if isinstance(record, Failure) or record.accepted is None:
        return title
    accepted, origin = record.accepted, record.provenance
    return (
        f"{title}\nrun by {accepted.by} on {origin.gpu or origin.cpu} ({origin.platform}), "
        f"accepted {accepted.accepted[:10]} from pack {accepted.pack[:12]}"
    )


def _scores(record: EvaluationRecord) -> Iterator[str | Table]:
    metrics = [metric.find_metric(name) for name in record.scores]
    headers = [*(f"{each.title} {each.unit}" for each in metrics), "samples", "excluded"]
    row = [each.format(record.scores[each.name]) for each in metrics]
    row += [f"{record.samples:,}", f"{sum(record.excluded.values()):,}"]
    yield Table(headers, [row], headers)
    dropped = ", ".join(f"{character!r} {count:,}×" for character, count in record.dropped.items())
    if dropped:
        yield f"Dropped from transcripts by the protocol: {dropped}."


def _localization(localization: Localization) -> Table:
    """Return where labels are read, overall and per class; see `bench docs localization`."""
    from bench.evaluation.metrics import localization as module

    headers = module.HEADERS
    return Table(headers, module.localization_rows(localization), headers[1:])


def _curve(record: TrainingRecord) -> list[str | Table]:
    rows = [
        [
            f"{point.step}{' *' if point.step == record.selected_step else ''}",
            f"{point.epoch:g}",
            f"{point.loss:.4f}",
            f"{point.validation_ler:.2%}",
        ]
        for point in record.curve
    ]
    numbers = ["epoch", "loss", "validation LER"]
    table = Table(["step", *numbers], rows, numbers)
    infeasible = sum(point.infeasible for point in record.curve)
    note = (
        f"\n{infeasible:,} samples did not contribute to the loss: their target is longer than "
        "the output"
        if infeasible
        else ""
    )
    return [table, f"* selected weights (LER: label error rate){note}"]


def _evaluations_using(users: Sequence[EvaluationRecord]) -> list[str | Table]:
    if not users:
        return ["No evaluation uses it yet."]
    rows = [
        [
            each.key,
            f"{each.labels['test']} · {each.labels['decoder']}",
            metric.format_scores(each.scores),
        ]
        for each in users
    ]
    return [Table(["evaluation", "test set and decoder", "scores"], rows)]


def _cost(record: TrainingRecord) -> str:
    seconds = record.timings
    spent = (
        f"{record.parameters.total:,} parameters; {seconds.total:.1f} s in all: "
        f"{seconds.training:.1f} training, {seconds.validation:.1f} validation"
    )
    return "\n".join([spent, *_devices(record), *_gpu_cost(record), _origin(record.provenance)])


def _devices(record: TrainingRecord) -> list[str]:
    """Return a line on data-parallel training, and one on a change of devices."""
    count = record.spec.get("devices", 1)
    together = [f"data-parallel on {count} devices"] if count > 1 else []
    moved = [f"trained on {', then on '.join(record.trained_on)}"]
    return [*together, *(moved if len(record.trained_on) > 1 else [])]


def _gpu_cost(record: TrainingRecord) -> list[str]:
    """Return a line on the GPU time and memory of a training; none for a training on a CPU."""
    if record.gpu_seconds is None:
        return []
    origin = record.provenance
    parts = [f"{record.gpu_seconds / 3600:.3f} GPU-hours"]
    if origin.shared_gpu:
        parts.append(f"{origin.gpus:g} GPUs reserved, so other tasks could use it at the same time")
    if record.peak_memory is not None:
        parts.append(f"at most {text_table.mebibytes(record.peak_memory)} MiB of tensors on it")
    return ["; ".join(parts)]


def _origin(origin: Provenance) -> str:
    changed = " with changed files" if origin.dirty else ""
    outside = "".join(
        f"\n{name}: {each.file}, {each.distribution or 'no distribution'} "
        f"{each.version or ''}, commit {each.commit or 'unknown'}"
        for name, each in origin.components.items()
    )
    return (
        f"commit {origin.commit or 'unknown'}{changed}, bench {origin.bench}, "
        f"Python {origin.python}, torch {origin.packages.get('torch')}\n"
        f"{', '.join(_machine(origin))}, {origin.finished}"
        f"{outside}"
    )


def _machine(origin: Provenance) -> list[str]:
    """Return hardware, versions of GPU libraries, precision and number of threads."""
    versions = {"driver": origin.driver, "CUDA": origin.cuda, "cuDNN": origin.cudnn}
    return [
        origin.gpu or origin.cpu,
        *(f"{name} {version}" for name, version in versions.items() if version),
        *([origin.precision] if origin.precision else []),
        f"{origin.threads} of {origin.cores} cores",
    ]

"""A board as text, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.render import text_table
from bench.core import documents
from bench.core.components import short_labels
from bench.leaderboards.aggregate import Board
from bench.leaderboards.board_samples import FILE, to_csv

if TYPE_CHECKING:
    from bench.leaderboards.aggregate import Row, Spread
    from bench.leaderboards.board_samples import Samples
    from bench.leaderboards.intervals import Range

SCHEMA = 1
PAGE, DATA = "README.md", "board.json"
NOTHING = "–"
_HEADERS = (
    "rank",
    "model",
    "loss",
    "sequence accuracy %",
    "CER %",
    "seeds",
    "parameters",
    "training s",
    "commit",
)
_SPEED_HEADERS = ("MACs", "ms b1", "ms b24")
_TUNING_HEADER = "tuning"
_TUNING_PLACE = _HEADERS.index("sequence accuracy %")
_SPEED_PLACE = _HEADERS.index("training s")
_RIGHT = "rank,sequence accuracy %,CER %,WER %,seeds,parameters,MACs,ms b1,ms b24,training s"


@dataclass(frozen=True)
class _Document:
    schema: int
    board: Board


def text(board: Board) -> str:
    """Draw the board for a terminal."""
    parts = [f"{board.suite} v{board.version} · protocol {board.protocol}"]
    for dataset, rows in _by_dataset(board):
        table = text_table.plain(_headers(board), _cells(rows, board), _RIGHT)
        parts.append(f"{dataset}\n{table}")
    return "\n\n".join([*parts, *_notes(board)])


def markdown(board: Board) -> str:
    """Write the board's page."""
    reading = (
        f"Protocol `{board.protocol}`: {board.protocol_about} "
        f"Mean ± sample standard deviation over the seeds {', '.join(map(str, board.seeds))}. "
        f"Generated from records by `bench board {board.suite}`; "
        f"run it anew with `bench run {board.suite}`. "
        f"Protocol and data have the fingerprint `{board.fingerprint}`."
    )
    parts = [f"# {board.suite} v{board.version}", board.about, reading]
    for dataset, rows in _by_dataset(board):
        table = text_table.markdown(_headers(board), _cells(rows, board), _RIGHT)
        parts += [f"## {dataset}", table]
    return "\n\n".join(part for part in [*parts, *_notes(board)] if part) + "\n"


def to_json(board: Board) -> bytes:
    """Write the board with every digit and every seed."""
    return documents.encode(_Document(SCHEMA, board))


def percent(spread: Spread | None, within: Range | None = None) -> str:
    """Write a score as `mean ± standard deviation [its interval]` in percent."""
    if spread is None:
        return NOTHING
    std = NOTHING if spread.std is None else f"{100 * spread.std:.2f}"
    interval = f" [{100 * within.low:.1f}, {100 * within.high:.1f}]" if within else ""
    return f"{100 * spread.mean:.2f} ± {std}{interval}"


def places(row: Row) -> str:
    """Write the rank of a row, or the ranks that it may have, the best and the worst."""
    if row.rank is None:
        return NOTHING
    known = row.certainty
    if known is None or known.best == known.worst:
        return str(row.rank)
    return f"{known.best}–{known.worst}"


def files(board: Board) -> dict[str, bytes]:
    """Return the files of the board's folder, its data first."""
    return {DATA: to_json(board), PAGE: markdown(board).encode()}


def folder(board: Board, root: Path) -> Path:
    """Return `root/<suite>/v<version>`."""
    return root / board.suite / f"v{board.version}"


def write(board: Board, root: Path, samples: Mapping[str, Samples] | None = None) -> Path:
    """Write the board's files into its folder, after the samples that they follow from."""
    place = folder(board, root)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in {FILE: to_csv(samples or {}), **files(board)}.items():
        documents.write_bytes(place / name, content)
    return place


def read(place: Path) -> Board:
    """Read the board in the folder `place`. Raises BenchError where it is none of this schema."""
    remedy = "restore it, or move its folder away and write the board again"
    return documents.read(place / DATA, _Document, SCHEMA, noun="board", remedy=remedy).board


def _by_dataset(board: Board) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in board.rows:
        groups.setdefault(row.dataset, []).append(row)
    return list(groups.items())


def _headers(board: Board) -> list[str]:
    headers = list(_HEADERS)
    if board.rules.get("unit") == "gloss":
        headers[headers.index("CER %")] = "WER %"
    if _profiled(board):
        headers[_SPEED_PLACE:_SPEED_PLACE] = _SPEED_HEADERS
    if _tuned(board):
        headers.insert(_TUNING_PLACE, _TUNING_HEADER)
    return headers


def _profiled(board: Board) -> bool:
    return any(row.speed for row in board.rows)


def _tuned(board: Board) -> bool:
    return any(row.tuning for row in board.rows)


def _cells(rows: Sequence[Row], board: Board) -> list[list[str]]:
    models = short_labels(row.model for row in board.rows)
    losses = short_labels(row.loss for row in board.rows)
    return [
        [
            places(row),
            models[row.model],
            losses[row.loss],
            *([f"{row.tuning.trials} trials" if row.tuning else NOTHING] if _tuned(board) else []),
            percent(row.sequence_accuracy, known.sequence_accuracy if known else None),
            percent(row.cer, known.cer if known else None),
            f"{len(row.seeds)}/{len(board.seeds)}",
            NOTHING if row.parameters is None else f"{row.parameters:,}",
            *(_speed(row) if _profiled(board) else []),
            NOTHING if row.training_seconds is None else f"{row.training_seconds:.1f}",
            ", ".join(row.commits) or NOTHING,
        ]
        for row in rows
        for known in [row.certainty]
    ]


def _speed(row: Row) -> list[str]:
    if row.speed is None:
        return [NOTHING] * len(_SPEED_HEADERS)
    latencies = row.speed.milliseconds.values()
    shown = [NOTHING if p50 is None else f"{p50:.2f}" for p50 in latencies]
    return [text_table.magnitude(row.speed.macs), *shown]


def _notes(board: Board) -> list[str]:
    """Say what stands behind the table: parameters, samples, what is missing and why, hardware."""
    labels = [*(row.model for row in board.rows), *(row.loss for row in board.rows)]
    notes = [f"`{label}`" for label in dict.fromkeys(labels) if "(" in label]
    notes = [f"Parameters off their defaults: {', '.join(notes)}."] if notes else []
    notes += _tuning(board)
    seeds = [(row, seed) for row in board.rows for seed in row.seeds]
    for dataset, samples in sorted({(row.dataset, seed.samples) for row, seed in seeds}):
        reasons = {
            r: n for row, s in seeds if row.dataset == dataset for r, n in s.excluded.items()
        }
        excluded = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
        notes.append(f"Scored on {dataset}: {samples:,} test samples; excluded: {excluded}.")
    if any(row.certainty for row in board.rows):
        notes.append(
            "In brackets: 95 % intervals, over samples and seeds together. A rank such as 1–2 is "
            "shared: what those rows are ranked by does not differ by a test of all pairs at 5 % "
            "(docs/statistics.md)."
        )
    notes += _missing(board)
    if board.hardware:
        notes.append(f"Trained on {'; '.join(board.hardware)}.")
    notes += _speed_notes(board)
    if any(commit.endswith("+") for row in board.rows for commit in row.commits):
        notes.append("A + behind a commit: files of bench had been changed since.")
    return notes


def _tuning(board: Board) -> list[str]:
    """Say how much tuning the tuned rows had: without it the others are no fair comparison."""
    return [
        f"Tuned: {row.names.shown}, the lowest validation CER of {row.tuning.trials} trials "
        f"({row.tuning.epochs} epochs, sampler {row.tuning.sampler}, sweep {row.tuning.sweep}); "
        "other rows had no such search."
        for row in board.rows
        if row.tuning
    ]


def _missing(board: Board) -> list[str]:
    """Say why seeds are missing: one by one where something is wrong, in sum where none has run."""
    waiting, notes = 0, []
    for row in board.rows:
        wrong = {seed: why for seed, why in row.missing.items() if why != "to do"}
        waiting += len(row.missing) - len(wrong)
        if wrong:
            listed = "; ".join(f"seed {seed}: {why}" for seed, why in wrong.items())
            notes.append(f"Missing of {row.names.shown}: {listed}.")
    if waiting:
        notes.append(f"To do: {waiting} trials; `bench run {board.suite}` runs them.")
    return notes


def _speed_notes(board: Board) -> list[str]:
    """Say what the speed columns hold, where they are from, and why a figure is not shown."""
    notes = []
    if board.speed_hardware:
        notes.append(
            "MACs: products, convolutions and attention of one sample. ms b1, ms b24: median "
            "latency of a batch of 1 and of 24, from inputs in memory to labels, on "
            f"{board.speed_hardware}."
        )
    for row in board.rows:
        if row.speed and row.speed.reasons:
            why = "; ".join(f"batch {batch}: {why}" for batch, why in row.speed.reasons.items())
            notes.append(f"No latency of {row.names.shown}: {why}.")
    if board.other_hardware:
        notes.append(
            f"Latencies on {'; '.join(board.other_hardware)} are left out: a column holds those of "
            "one hardware, the one with most valid rows (of equals, the first by name)."
        )
    return notes

"""A board as text, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench import text_table
from bench.store import write_bytes

if TYPE_CHECKING:
    from bench.leaderboards.aggregate import Board, Row, Spread

SCHEMA = 1
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
_RIGHT = "rank,sequence accuracy %,CER %,seeds,parameters,training s"
_NOTHING = "–"


@dataclass(frozen=True)
class _Document:
    schema: int
    board: Board


def text(board: Board) -> str:
    """Draw the board for a terminal."""
    parts = [f"{board.suite} v{board.version} · protocol {board.protocol}"]
    for dataset, rows in _by_dataset(board):
        table = text_table.plain(_HEADERS, [_cells(row, board) for row in rows], _RIGHT)
        parts.append(f"{dataset}\n{table}")
    return "\n\n".join([*parts, *_notes(board)])


def markdown(board: Board) -> str:
    """Write the board's page."""
    parts = [
        f"# {board.suite} v{board.version}",
        board.about,
        f"Protocol `{board.protocol}`: {board.protocol_about} "
        f"Mean ± sample standard deviation over the seeds {', '.join(map(str, board.seeds))}. "
        f"Generated from records by `bench board {board.suite}`; "
        f"run it anew with `bench run {board.suite}`.",
    ]
    for dataset, rows in _by_dataset(board):
        cells = [_cells(row, board) for row in rows]
        parts += [f"## {dataset}", text_table.markdown(_HEADERS, cells, _RIGHT)]
    return "\n\n".join(part for part in [*parts, *_notes(board)] if part) + "\n"


def to_json(board: Board) -> bytes:
    """Write the board with every digit and every seed."""
    content = msgspec.json.encode(_Document(SCHEMA, board))
    return msgspec.json.format(content, indent=1) + b"\n"


def write(board: Board, root: Path) -> Path:
    """Write README.md and board.json into `root/<suite>/v<version>/`, and return that folder."""
    folder = root / board.suite / f"v{board.version}"
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "board.json", to_json(board))
    write_bytes(folder / "README.md", markdown(board).encode())
    return folder


def _by_dataset(board: Board) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in board.rows:
        groups.setdefault(row.dataset, []).append(row)
    return list(groups.items())


def _cells(row: Row, board: Board) -> list[str]:
    return [
        _NOTHING if row.rank is None else str(row.rank),
        row.model,
        row.loss,
        _percent(row.sequence_accuracy),
        _percent(row.cer),
        f"{len(row.seeds)}/{len(board.seeds)}",
        _NOTHING if row.parameters is None else f"{row.parameters:,}",
        _NOTHING if row.training_seconds is None else f"{row.training_seconds:.1f}",
        ", ".join(row.commits) or _NOTHING,
    ]


def _percent(spread: Spread | None) -> str:
    if spread is None:
        return _NOTHING
    return f"{spread.mean:.2%} ± {'–' if spread.std is None else f'{spread.std:.2%}'}".replace("%", "")


def _notes(board: Board) -> list[str]:
    """Say what stands behind the table: samples, what is missing and why, hardware."""
    seeds = [(row, seed) for row in board.rows for seed in row.seeds]
    notes = []
    for dataset, samples in sorted({(row.dataset, seed.samples) for row, seed in seeds}):
        reasons = {r: n for row, s in seeds if row.dataset == dataset for r, n in s.excluded.items()}
        excluded = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
        notes.append(f"Scored on {dataset}: {samples:,} test samples; excluded: {excluded}.")
    for row in board.rows:
        if row.missing:
            listed = "; ".join(f"seed {seed}: {why}" for seed, why in row.missing.items())
            notes.append(f"Missing of {row.model} × {row.loss} on {row.dataset}: {listed}.")
    if board.hardware:
        notes.append(f"Trained on {'; '.join(board.hardware)}. A + behind a commit: changed files.")
    return notes

"""Keys of records stay the same: those of a committed board are those of its suite today."""

from __future__ import annotations

from pathlib import Path

from bench.config import bench_toml
from bench.leaderboards.board import read_board
from bench.trials import grid

ROOT = Path(__file__).parents[2]


def test_the_suite_quick_has_the_keys_of_its_committed_board():
    suite = bench_toml.load(ROOT / "bench.toml").suite("quick")
    board = read_board(ROOT / "leaderboards/quick/v1")
    trained = {key for row in board.rows for seed in row.seeds for key in seed.trainings}
    evaluated = {
        key for row in board.rows for seed in row.seeds for key in seed.evaluations.values()
    }
    tasks = grid.tasks(grid.trials(suite))
    assert {task.key for task in tasks if task.kind == "training"} == trained
    assert {task.key for task in tasks if task.kind == "evaluation"} == evaluated

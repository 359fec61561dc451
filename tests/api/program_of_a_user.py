"""A program of a user: mypy checks it strictly in test_names.py; nothing runs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import bench


def read(images: list[NDArray[np.uint8]]) -> list[str]:
    return ["x" for _ in images]


suite: bench.Suite = bench.load_suite("quick")
board: bench.Board = bench.run(suite, seeds=[0], executor="inline")
label: str = board.rows[0].label
cer: float = bench.score(["a"], ["b"], protocol="str-36")["cer"].value
mine: bench.Predictions = bench.evaluate(read, "iiit5k", protocol="str-36")
recorded: bench.Predictions = bench.load_predictions("0123456789abcdef")
compared: bench.Comparison = bench.compare(mine, recorded)
p: float = compared.verdicts[0].p
figures: bench.Figures = bench.figures(board)
content: bytes = figures["ranks"].content
try:
    bench.load_board("quick")
except bench.RunError as failed:
    partial: bench.Board | None = failed.board
except bench.BenchError as error:
    code: int = error.code

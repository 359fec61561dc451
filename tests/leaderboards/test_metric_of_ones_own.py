"""A metric from outside bench is a column of boards, ranks them, and is part of keys."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.config import bench_toml
from bench.evaluation import metrics
from bench.evaluation.metrics import Counts, Metric, metric
from bench.trials import grid

COLUMN = "seq-digits(digits=2, rounds=1)"
PROTOCOL = """
[protocol.lasts]
charset = "0123456789"
metrics = ["last-unit", "cer"]
ranked_by = "last-unit"
"""


class LastUnit(Metric):
    """The fraction of samples whose last character is read correctly."""

    name = "last-unit"
    title = "last right"
    higher_is_better = True
    max_value = 1.0

    def defined_for(self, protocol):
        return protocol.unit == "character"

    def counts(self, readings):
        pairs = zip(readings.references, readings.hypotheses, strict=True)
        right = np.array([r[-1:] == h[-1:] for r, h in pairs], dtype=np.int64)
        return Counts(right, np.ones_like(right))


@pytest.fixture
def trials(home, monkeypatch):
    """Return the trials of `tiny` under a protocol that ranks by the metric."""
    monkeypatch.setattr(metric, "_registered", dict(metric._registered))
    metrics.register_metric(LastUnit())
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('"digits"', '"lasts"') + PROTOCOL)
    return grid.trials(bench_toml.load(file).suite("tiny"))


def test_a_plugin_metric_is_a_column_with_an_interval_and_ranks(trials, leave, bench):
    for trial, correct in zip(trials, (60, 80, 62, 84), strict=True):
        for task in trial.tasks:
            leave(task, {"correct": correct})
    answer = bench("board", "tiny", "--json")
    assert answer.code == 0
    board = json.loads(answer.out)
    assert board["ranked_by"] == "last-unit"
    assert [row["loss"] for row in board["rows"]] == ["radial-ctc", "ctc"]
    scores = [row["scores"]["last-unit"][COLUMN] for row in board["rows"]]
    assert [score["mean"] for score in scores] == pytest.approx([0.82, 0.61])
    assert all(0 <= score["low"] < score["mean"] < score["high"] <= 1 for score in scores)
    assert "last right %" in answer.err

    compared = json.loads(bench("compare", "tiny#2", "tiny#1", "--json").out)
    verdicts = [v for v in compared[0]["verdicts"] if v["metric"] == "last-unit"]
    assert {v["test"] for v in verdicts} >= {COLUMN, "average", "mean"}
    assert [v["difference"] for v in verdicts] == pytest.approx([0.21] * len(verdicts))
    assert {v["outcome"] for v in verdicts} == {"better"}
    assert bench("verify").code == 0


def test_the_code_of_a_plugin_metric_is_part_of_the_key_of_an_evaluation(trials):
    spec = trials[0].evaluations[COLUMN].spec["metrics"]
    assert spec["last-unit"]["source"]["file"] == "test_metric_of_ones_own.py"
    assert "source" not in spec["cer"]

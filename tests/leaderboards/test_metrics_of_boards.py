"""A metric that is declared in this file is a column of boards, compared and verified."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bench.evaluation import protocols
from bench.evaluation.metrics import metric
from bench.evaluation.metrics.metric import Counts, Metric
from bench.leaderboards import board as boards
from bench.leaderboards.samples import samples_file

from .conftest import FIRST, SAMPLES, SECOND


class EvenLast(Metric):
    """The fraction of samples whose hypothesis ends with an even digit."""

    name = "even-last"
    title = "even"
    higher_is_better = True
    max_value = 1.0

    def defined_for(self, protocol):
        return protocol.unit == "character"

    def counts(self, readings):
        even = np.array([text[-1] in "02468" for text in readings.hypotheses], dtype=np.int64)
        return Counts(even, np.ones_like(even))

    def format(self, value):
        return f"{value:.3f}"


@pytest.fixture
def home(home, monkeypatch):
    """Return the working folder, where the protocol `digits` also reports the metric."""
    monkeypatch.setitem(metric._registered, EvenLast.name, EvenLast())
    digits = protocols.find_protocol("digits")
    reporting = replace(digits, metrics=(*digits.metrics, EvenLast.name))
    monkeypatch.setitem(protocols.PROTOCOLS, "digits", reporting)
    return home


def test_a_new_metric_is_a_column_with_an_interval(home, finished, bench):
    assert bench("board", "tiny").code == 0
    board = boards.read_board(home / "results" / "boards" / "tiny")
    for row in board.rows:
        score = row.scores[EvenLast.name][FIRST]
        assert score.low < score.mean < score.high
        assert row.averages[EvenLast.name].keys() == {"weighted", "mean"}
    page = (home / "results" / "boards" / "tiny" / "README.md").read_text()
    assert f"even % {SECOND}" in page
    assert "0.500 ± 0.000 [" in page
    counts = samples_file.read_counts(home / "results" / "boards" / "tiny", [FIRST])[FIRST]
    assert len(counts.numerators[EvenLast.name]) == 4
    assert counts.samples == SAMPLES


def test_a_new_metric_is_compared_and_verified(home, finished, bench, profile_all):
    profile_all()
    assert bench("board", "tiny", "--publish").code == 0
    (comparison,) = json.loads(bench("compare", "tiny#1", "tiny#2", "--json").out)
    assert EvenLast.name in {verdict["metric"] for verdict in comparison["verdicts"]}
    assert bench("verify").code == 0


def test_verify_reports_a_metric_whose_version_changed(home, finished, bench, monkeypatch):
    monkeypatch.setattr(EvenLast, "version", 2)
    answer = bench("verify")
    assert answer.code == 5
    assert "metric 'even-last' has changed since this evaluation" in answer.err


def test_a_published_board_is_printed_without_the_code_of_its_metric(
    home, finished, bench, profile_all, monkeypatch
):
    profile_all()
    assert bench("board", "tiny", "--publish").code == 0
    monkeypatch.delitem(metric._registered, EvenLast.name)
    answer = bench("board", "tiny/v1")
    assert answer.code == 0
    assert "even %" in answer.out

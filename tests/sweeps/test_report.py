"""The report of a sweep: order, notes, and importances that no early stop biases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config.sweep_space import Domain
from bench.core.text_table import draw
from bench.sweeps import report
from bench.sweeps.importance import variance_shares
from bench.sweeps.study import Study, StudyTrial

PATHS = ["recipe.learning_rate", "recipe.optimizer", "model.hidden"]
DOMAINS = {
    "recipe.learning_rate": Domain("loguniform", (1e-3, 1e-1)),
    "recipe.optimizer": Domain("choice", ("adam", "sgd")),
    "model.hidden": Domain("randint", (4, 9)),
}
points = st.fixed_dictionaries(
    {
        "recipe.learning_rate": st.floats(1e-3, 1e-1),
        "recipe.optimizer": st.sampled_from(["adam", "sgd"]),
        "model.hidden": st.integers(4, 8),
    }
)


@pytest.fixture
def leave(study):
    """Return a function that leaves one more trial in the study."""

    def leave(
        state: str = "done", *scores: float, rate: float = 0.01, optimizer: str = "adam", hidden=0
    ) -> StudyTrial:
        hidden = hidden or 4 + len(study.trials())
        params = dict(zip(PATHS, (rate, optimizer, hidden), strict=True))
        message = "the loss became nan" if state == "failed" else ""
        trial = replace(study.begin(params), state=state, scores=[*scores], message=message)
        study.keep(trial)
        return trial

    return leave


def numbers(summary: report.Report) -> list[int]:
    return [trial.number for trial in summary.trials]


def test_a_study_without_a_trial_reports_just_that(study):
    summary = report.report_of(study)
    assert (summary.best, summary.importance, summary.trials, summary.validations) == (
        None,
        None,
        [],
        0,
    )
    assert "0 trials, 0 validations, 0.0 minutes." in draw(report.as_text(summary))
    report.write_report(summary, study.root)
    assert report.read_report(study.root) == summary


def test_trials_stand_in_order_of_their_end_and_their_score(study, leave):
    leave("stopped", 0.125)
    leave("done", 0.75, 0.5)
    leave("failed")
    leave("done", 0.25, 0.375)
    leave("running", 0.5)
    summary = report.report_of(study)
    assert numbers(summary) == [4, 2, 1, 5, 3]
    assert summary.best == summary.trials[0].key
    assert summary.validations == 6


def test_equal_scores_stand_in_order_of_numbers(study, leave):
    for _ in range(3):
        leave("done", 0.5)
    assert numbers(report.report_of(study)) == [1, 2, 3]


def test_a_recipe_that_selects_the_last_epoch_is_scored_by_it(load_sweep, home):
    file = home / "bench.toml"
    load_sweep()
    file.write_text(file.read_text().replace("epochs = 1\n", "epochs = 2\nselect = 'last'\n"))
    from bench.config import bench_toml as config
    from bench.sweeps.sweep import sweep_of

    study = Study(sweep_of(config.load(file).suite("tiny")), home / "results")
    study.prepare()
    for hidden, scores in ((4, [0.125, 0.75]), (5, [0.5, 0.25])):
        begun = study.begin(dict(zip(PATHS, (0.01, "adam", hidden), strict=True)))
        study.keep(replace(begun, state="done", scores=scores))
    summary = report.report_of(study)
    assert summary.select == "last"
    assert numbers(summary) == [2, 1]
    assert "75.00" in draw(report.as_text(summary))
    assert "12.50" not in draw(report.as_text(summary))


def test_its_notes_say_the_best_the_failures_and_what_was_spent(study, leave):
    leave("done", 0.5)
    leave("failed", 0.75)
    study.spend(90.0)
    summary = report.report_of(study)
    for drawn in (draw(report.as_text(summary)), report.as_markdown(summary)):
        assert "Best of those trained to their end: trial 1." in drawn
        assert "Trial 2 failed: the loss became nan." in drawn
        assert f"Sweep {study.sweep.key}: 2 trials, 2 validations, 1.5 minutes." in drawn
        assert "no test set was read" in drawn
        assert "seed 2, sampler tpe, scheduler asha" in drawn
        assert "Importance" not in drawn


def test_no_winner_is_named_where_none_was_trained_to_its_end(study, leave):
    leave("stopped", 0.5)
    leave("running", 0.25)
    summary = report.report_of(study)
    assert summary.best is None
    assert "Best" not in draw(report.as_text(summary))


def test_the_page_has_every_trial_and_every_parameter(study, leave):
    left = [leave("done", 0.5, rate=0.0123456), leave("stopped"), leave("failed"), leave("running")]
    page = report.as_markdown(report.report_of(study))
    header, _, *rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert header.count("|") - 1 == 4 + len(PATHS)
    assert all(path in header for path in PATHS)
    assert {row[0] for row in cells} == {str(trial.number) for trial in left}
    assert ["1", "done", "1", "50.00", "0.01235", "adam", "4"] in cells
    assert ["2", "stopped", "0", "–", "0.01", "adam", "5"] in cells
    assert page.startswith("# Sweep of tiny\n")


def test_a_line_says_what_came_of_a_trial():
    done = StudyTrial(
        1, "a", {"recipe.learning_rate": 0.0123456, "model.hidden": 4}, "done", [0.5, 0.25]
    )
    params = "recipe.learning_rate = 0.01235, model.hidden = 4"
    assert report.trial_line(done, "best") == f"done  validation LER 25.00%  {params}"
    stopped = replace(done, state="stopped", scores=[0.5])
    assert (
        report.trial_line(stopped, "best")
        == f"stopped after validation 1  validation LER 50.00%  {params}"
    )
    failed = replace(done, state="failed", scores=[], message="no\n  memory\n")
    assert report.trial_line(failed, "best") == f"failed: no memory  {params}"


def test_what_is_written_is_read_back(study, leave):
    for score in (0.5, 0.25, 0.125, 0.75, 1 / 3):
        leave("done", score, rate=0.01 + score / 100)
    summary = report.report_of(study)
    assert summary.importance is not None
    report.write_report(summary, study.root)
    assert report.read_report(study.root) == summary
    assert (study.root / "report.md").read_text() == report.as_markdown(summary)
    document = json.loads((study.root / "report.json").read_text())
    assert document["schema"] == 2
    assert len(document["trials"]) == 5
    assert document["labels"] == study.sweep.base.labels


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 9}'])
def test_a_report_that_cannot_be_read_is_written_again(study, leave, content):
    for score in (0.5, 0.25, 0.125, 0.75):
        leave("done", score)
    (study.root / "report.json").write_text(content)
    assert report.read_report(study.root) is None
    assert report.report_of(study).importance.trials == 4


def test_below_four_trials_nothing_is_said_of_importance(study, leave):
    for score in (0.5, 0.25, 0.125):
        leave("done", score)
    leave("failed", 0.75)
    leave("stopped")
    assert report.report_of(study).importance is None
    leave("stopped", 0.75, hidden=8, rate=0.02)
    assert report.report_of(study).importance.trials == 4


def test_without_a_difference_nothing_is_said_of_importance(study, leave):
    for _ in range(5):
        leave("done", 0.5)
    assert report.report_of(study).importance is None


def test_importance_is_over_the_validations_that_all_have_had(study, leave):
    """The optimizer decides the first validation; the second, which few had, is another matter."""
    for hidden in range(4, 9):
        leave("stopped", 0.75, hidden=hidden, optimizer="sgd")
        leave("done", 0.5, 0.01 * hidden, hidden=hidden)
    summary = report.report_of(study).importance
    assert (summary.validations, summary.trials) == (1, 10)
    assert summary.shares["recipe.optimizer"] == pytest.approx(1.0)
    assert "over the LER of 10 trials after 1 validation)" in draw(
        report.as_text(report.report_of(study))
    )
    assert "recipe.optimizer 100%" in draw(report.as_text(report.report_of(study)))


@pytest.mark.parametrize("path", PATHS)
def test_the_parameter_that_decides_has_the_largest_share(path):
    grid = [
        dict(zip(PATHS, (rate, optimizer, hidden), strict=True))
        for rate in (0.002, 0.03, 0.06, 0.09)
        for optimizer in ("adam", "sgd")
        for hidden in range(4, 9)
    ]
    values = [
        ["adam", "sgd"].index(v) if v in {"adam", "sgd"} else v
        for v in (point[path] for point in grid)
    ]
    shares = variance_shares(DOMAINS, grid, values)
    assert next(iter(shares)) == path
    assert shares[path] > 0.95


@pytest.mark.slow
@settings(max_examples=8)
@given(st.lists(st.tuples(points, st.integers(0, 1000)), min_size=4, max_size=12))
def test_shares_sum_to_one_the_largest_first(trials):
    values = [value / 1000 for _, value in trials]
    distinct = {tuple(params.values()) for params, _ in trials}
    if len(distinct) < len(trials) or len(set(values)) == 1:
        return
    shares = variance_shares(DOMAINS, [params for params, _ in trials], values)
    if not shares:  # The values of each bootstrap sample were one and the same.
        return
    assert sorted(shares) == sorted(PATHS)
    assert sum(shares.values()) == pytest.approx(1)
    assert [*shares.values()] == sorted(shares.values(), reverse=True)
    assert variance_shares(DOMAINS, [params for params, _ in trials], values) == shares


def test_importances_are_not_computed_again_for_the_same_trials(study, leave):
    for score in (0.5, 0.25, 0.125, 0.75):
        leave("done", score)
    summary = report.report_of(study)
    altered = replace(summary.importance, shares={"model.hidden": 1.0})
    report.write_report(replace(summary, importance=altered), study.root)
    assert report.report_of(study).importance == altered
    leave("done", 0.0625)
    assert report.report_of(study).importance != altered
    assert report.report_of(study).importance.trials == 5

"""What a sweep found: order, notes, and importances that no early stop biases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config.sweep_space import Domain
from bench.sweeps import report
from bench.sweeps.importance import shares
from bench.sweeps.study import Study, Tried

PATHS = ["training.learning_rate", "training.optimizer", "model.hidden"]
DOMAINS = {
    "training.learning_rate": Domain("loguniform", (1e-3, 1e-1)),
    "training.optimizer": Domain("choice", ("adam", "sgd")),
    "model.hidden": Domain("randint", (4, 9)),
}
points = st.fixed_dictionaries(
    {
        "training.learning_rate": st.floats(1e-3, 1e-1),
        "training.optimizer": st.sampled_from(["adam", "sgd"]),
        "model.hidden": st.integers(4, 8),
    }
)


@pytest.fixture
def leave(study):
    """Return a function that leaves one more trial in the study."""

    def leave(
        state: str = "done", *scores: float, rate: float = 0.01, optimizer: str = "adam", hidden=0
    ) -> Tried:
        hidden = hidden or 4 + len(study.tried())
        params = dict(zip(PATHS, (rate, optimizer, hidden), strict=True))
        message = "the loss became nan" if state == "failed" else ""
        one = replace(study.begin(params), state=state, scores=[*scores], message=message)
        study.keep(one)
        return one

    return leave


def numbers(found: report.Report) -> list[int]:
    return [one.number for one in found.trials]


def test_a_study_without_a_trial_reports_just_that(study):
    found = report.of(study)
    assert (found.best, found.importance, found.trials, found.epochs) == (None, None, [], 0)
    assert "0 trials, 0 epochs, 0.0 minutes." in report.text(found)
    report.write(found, study.root)
    assert report.read(study.root) == found


def test_trials_stand_in_order_of_their_end_and_their_score(study, leave):
    leave("stopped", 0.125)
    leave("done", 0.75, 0.5)
    leave("failed")
    leave("done", 0.25, 0.375)
    leave("running", 0.5)
    found = report.of(study)
    assert numbers(found) == [4, 2, 1, 5, 3]
    assert found.best == found.trials[0].key
    assert found.epochs == 6


def test_equal_scores_stand_in_order_of_numbers(study, leave):
    for _ in range(3):
        leave("done", 0.5)
    assert numbers(report.of(study)) == [1, 2, 3]


def test_a_recipe_that_selects_the_last_epoch_is_scored_by_it(load_sweep, home):
    file = home / "bench.toml"
    load_sweep()
    file.write_text(file.read_text().replace("epochs = 1\n", "epochs = 2\nselect = 'last'\n"))
    from bench.config import bench_toml as config
    from bench.sweeps.sweep import of

    study = Study(of(config.load(file).suite("tiny")), home / "results")
    study.prepare()
    for hidden, scores in ((4, [0.125, 0.75]), (5, [0.5, 0.25])):
        begun = study.begin(dict(zip(PATHS, (0.01, "adam", hidden), strict=True)))
        study.keep(replace(begun, state="done", scores=scores))
    found = report.of(study)
    assert found.select == "last"
    assert numbers(found) == [2, 1]
    assert "75.00" in report.text(found)
    assert "12.50" not in report.text(found)


def test_its_notes_say_the_best_the_failures_and_what_was_spent(study, leave):
    leave("done", 0.5)
    leave("failed", 0.75)
    study.spend(90.0)
    found = report.of(study)
    for drawn in (report.text(found), report.markdown(found)):
        assert "Best of those trained to their end: trial 1." in drawn
        assert "Trial 2 failed: the loss became nan." in drawn
        assert f"Sweep {study.sweep.key}: 2 trials, 2 epochs, 1.5 minutes." in drawn
        assert "the test split was not looked at" in drawn
        assert "seed 2, sampler tpe, scheduler asha" in drawn
        assert "Importance" not in drawn


def test_no_winner_is_named_where_none_was_trained_to_its_end(study, leave):
    leave("stopped", 0.5)
    leave("running", 0.25)
    found = report.of(study)
    assert found.best is None
    assert "Best" not in report.text(found)


def test_the_page_has_every_trial_and_every_parameter(study, leave):
    left = [leave("done", 0.5, rate=0.0123456), leave("stopped"), leave("failed"), leave("running")]
    page = report.markdown(report.of(study))
    header, _, *rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert header.count("|") - 1 == 4 + len(PATHS)
    assert all(path in header for path in PATHS)
    assert {row[0] for row in cells} == {str(one.number) for one in left}
    assert ["1", "done", "1", "50.00", "0.01235", "adam", "4"] in cells
    assert ["2", "stopped", "0", "–", "0.01", "adam", "5"] in cells
    assert page.startswith("# Sweep of tiny\n")


def test_a_line_says_what_came_of_a_trial():
    one = Tried(
        1, "a", {"training.learning_rate": 0.0123456, "model.hidden": 4}, "done", [0.5, 0.25]
    )
    params = "training.learning_rate = 0.01235, model.hidden = 4"
    assert report.line(one, "best") == f"done  validation CER 25.00%  {params}"
    stopped = replace(one, state="stopped", scores=[0.5])
    assert report.line(stopped, "best") == f"stopped after epoch 1  validation CER 50.00%  {params}"
    failed = replace(one, state="failed", scores=[], message="no\n  memory\n")
    assert report.line(failed, "best") == f"failed: no memory  {params}"


def test_what_is_written_is_read_back(study, leave):
    for score in (0.5, 0.25, 0.125, 0.75, 1 / 3):
        leave("done", score, rate=0.01 + score / 100)
    found = report.of(study)
    assert found.importance is not None
    report.write(found, study.root)
    assert report.read(study.root) == found
    assert (study.root / "report.md").read_text() == report.markdown(found)
    document = json.loads((study.root / "report.json").read_text())
    assert document["schema"] == 1
    assert len(document["trials"]) == 5
    assert document["labels"] == study.sweep.base.labels


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 9}'])
def test_a_report_that_cannot_be_read_is_made_anew(study, leave, content):
    for score in (0.5, 0.25, 0.125, 0.75):
        leave("done", score)
    (study.root / "report.json").write_text(content)
    assert report.read(study.root) is None
    assert report.of(study).importance.trials == 4


def test_below_four_trials_nothing_is_said_of_importance(study, leave):
    for score in (0.5, 0.25, 0.125):
        leave("done", score)
    leave("failed", 0.75)
    leave("stopped")
    assert report.of(study).importance is None
    leave("stopped", 0.75, hidden=8, rate=0.02)
    assert report.of(study).importance.trials == 4


def test_without_a_difference_nothing_is_said_of_importance(study, leave):
    for _ in range(5):
        leave("done", 0.5)
    assert report.of(study).importance is None


def test_importance_is_over_the_epochs_that_all_have_had(study, leave):
    """The optimizer decides the first epoch; the second, which few have had, is another matter."""
    for hidden in range(4, 9):
        leave("stopped", 0.75, hidden=hidden, optimizer="sgd")
        leave("done", 0.5, 0.01 * hidden, hidden=hidden)
    found = report.of(study).importance
    assert (found.epochs, found.trials) == (1, 10)
    assert found.shares["training.optimizer"] == pytest.approx(1.0)
    assert "over the CER of 10 trials after 1 epoch)" in report.text(report.of(study))
    assert "training.optimizer 100%" in report.text(report.of(study))


@pytest.mark.parametrize("path", PATHS)
def test_the_parameter_that_decides_has_the_largest_share(path):
    grid = [
        dict(zip(PATHS, (rate, optimizer, hidden), strict=True))
        for rate in (0.002, 0.03, 0.06, 0.09)
        for optimizer in ("adam", "sgd")
        for hidden in range(4, 9)
    ]
    values = [
        ["adam", "sgd"].index(v) if v in {"adam", "sgd"} else v for v in (one[path] for one in grid)
    ]
    found = shares(DOMAINS, grid, values)
    assert next(iter(found)) == path
    assert found[path] > 0.95


@settings(deadline=None, max_examples=8)
@given(st.lists(st.tuples(points, st.integers(0, 1000)), min_size=4, max_size=12))
def test_shares_sum_to_one_the_largest_first(trials):
    values = [value / 1000 for _, value in trials]
    distinct = {tuple(params.values()) for params, _ in trials}
    if len(distinct) < len(trials) or len(set(values)) == 1:
        return
    found = shares(DOMAINS, [params for params, _ in trials], values)
    if not found:  # The values of each bootstrap sample were one and the same.
        return
    assert sorted(found) == sorted(PATHS)
    assert sum(found.values()) == pytest.approx(1)
    assert [*found.values()] == sorted(found.values(), reverse=True)
    assert shares(DOMAINS, [params for params, _ in trials], values) == found


def test_importances_are_not_computed_again_for_the_same_trials(study, leave):
    for score in (0.5, 0.25, 0.125, 0.75):
        leave("done", score)
    found = report.of(study)
    told = replace(found.importance, shares={"model.hidden": 1.0})
    report.write(replace(found, importance=told), study.root)
    assert report.of(study).importance == told
    leave("done", 0.0625)
    assert report.of(study).importance != told
    assert report.of(study).importance.trials == 5

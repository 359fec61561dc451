"""Trials compared with the store: states, reasons, what is to be run, and its cost."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config import bench_toml
from bench.config.recipe import Resources
from bench.core import hashing
from bench.core.errors import Exit
from bench.data.datasets import seq_digits
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid, plan, provenance
from bench.trials import store as disk
from bench.trials.records import Attempt, Failure, TrainingTimings
from bench.trials.specs import Trial

DATA = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
TWO_TESTS = (
    'train = [{ name = "seq-digits", digits = 2, rounds = 1 }]\n'
    'tests = [{ name = "seq-digits", digits = 2, rounds = 1 }, "seq-digits"]'
)
scalars = st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1) | st.text(max_size=3)
specs = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


@dataclass(frozen=True)
class Paired(CTC):
    """A loss whose parameter is a tuple of tuples."""

    name: ClassVar[str] = "paired"

    pairs: tuple[tuple[int, ...], ...] = ()


def fail(store, task, message: str = "ValueError: no", cause: str = "error") -> None:
    attempts = [Attempt(cause, message, "2025-11-21T08:00:00")]
    failure = Failure(task.key, task.spec, task.labels, task.seed, attempts)
    disk.write(store.begin(task) / disk.FAILURE, failure)


def wider(trial: Trial, width: int) -> Trial:
    """Return a trial with another width of the model."""
    return with_training(trial, model=replace(trial.entry.model, width=width))


def with_training(trial: Trial, **changes: object) -> Trial:
    """Return a trial whose training is changed."""
    evaluations = {
        name: replace(each, training=replace(each.training, **changes))
        for name, each in trial.evaluations.items()
    }
    return Trial(trial.entry, changes.get("seed", trial.seed), evaluations)


def timed(leave, trial: Trial, seconds: float) -> None:
    """Leave a finished trial whose training took so long and whose evaluation took no time."""
    for training in trial.trainings:
        leave(training, timings=TrainingTimings(0.0, seconds, 0.0))
    for evaluation in trial.evaluations.values():
        leave(evaluation, seconds=0.0)


@pytest.fixture
def changed(home):
    """Return a function that gives the trials of bench.toml with one passage replaced."""
    file = home / "bench.toml"
    tiny = file.read_text()

    def trials(old: str, new: str) -> list[Trial]:
        assert tiny.count(old) == 1
        file.write_text(tiny.replace(old, new))
        return grid.trials(bench_toml.load(file).suite("tiny"))

    return trials


def test_every_state_of_a_training(trials, store, leave):
    done, failed, stale, new = (trial.trainings[0] for trial in trials)
    leave(done)
    fail(store, failed)
    leave(wider(trials[2], 9).trainings[0])
    current = plan.make_plan(trials, store)
    statuses = [current.statuses[task.key] for task in (done, failed, stale, new)]
    assert [status.state for status in statuses] == ["done", "failed", "stale", "to do"]
    assert [status.why() for status in statuses] == [
        "",
        "error: ValueError: no",
        "model.parameters.width: 9 → 2",
        "",
    ]
    assert statuses[0].record.key == done.key
    assert statuses[1].failure.key == failed.key
    assert current.counts("training") == {"done": 1, "failed": 1, "stale": 1, "to do": 1}
    assert current.counts("evaluation") == {"to do": 4}
    assert [*current.statuses] == [task.key for task in grid.tasks(trials)]


def test_a_trial_is_in_the_worst_state_of_its_tasks(trials, store, finish, leave):
    finish(trials[:1])
    leave(trials[1].trainings[0])
    fail(store, trials[2].trainings[0])
    current = plan.make_plan(trials, store)
    assert [current.state(trial) for trial in trials] == ["done", "to do", "failed", "to do"]
    assert current.why(trials[2]) == "error: ValueError: no"


def test_an_evaluation_of_a_changed_training_is_stale_and_says_which(trials, store, finish):
    finish([wider(trials[0], 9)])
    current = plan.make_plan(trials[:1], store)
    training, evaluation = current.trial_statuses(trials[0])
    assert (training.state, evaluation.state) == ("stale", "stale")
    old = wider(trials[0], 9).trainings[0]
    assert evaluation.why() == f"recognizer.training: {old.key} → {training.task.key}"


def test_a_record_goes_before_a_failure_and_a_failure_before_an_old_record(trials, store, leave):
    training = trials[0].trainings[0]
    leave(wider(trials[0], 9).trainings[0])
    fail(store, training, "no memory", "out of memory")
    status = plan.make_plan(trials[:1], store).statuses[training.key]
    assert (status.state, status.why()) == ("failed", "out of memory: no memory")
    record = leave(training)
    fail(store, training)
    status = plan.make_plan(trials[:1], store).statuses[training.key]
    assert (status.state, status.why(), status.failure) == ("done", "", None)
    assert status.record == record


def test_the_newest_old_record_is_the_stale_one(trials, store, leave):
    for age, width in enumerate((7, 8, 9)):
        other = wider(trials[0], width).trainings[0]
        leave(other)
        moment = 1e9 - abs(age - 1)
        os.utime(store.folder(other) / disk.TRAINING, (moment, moment))
    status, _ = plan.make_plan(trials[:1], store).trial_statuses(trials[0])
    assert status.why() == "model.parameters.width: 8 → 2"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("width = 2", "width = 3", "model.parameters.width: 2 → 3"),
        ("epochs = 1", "epochs = 2", "recipe.epochs: 1 → 2"),
        ("learning_rate = 0.01", "learning_rate = 0.02", "recipe.learning_rate: 0.01 → 0.02"),
        ("epochs = 1", "epochs = 1\noptimizer = 'sgd'", "recipe.optimizer: absent → sgd"),
        ("hidden = 4", "hidden = 4, input = { size = 9 }", "input.size: 0 → 9"),
        (
            "width = 2, hidden = 4",
            "width = 1, hidden = 5",
            "model.parameters.hidden: 4 → 5; model.parameters.width: 2 → 1",
        ),
        (
            "epochs = 1\nbatch_size = 64",
            "epochs = 3\nbatch_size = 8",
            "recipe.batch_size: 64 → 8; recipe.epochs: 1 → 3",
        ),
        (
            "learning_rate = 0.01",
            "learning_rate = 0.01\n[suite.tiny.resources]\ncpus = 2",
            "threads: 1 → 2",
        ),
    ],
)
def test_why_names_just_what_changed(trials, store, finish, changed, old, new, why):
    finish(trials)
    current = plan.make_plan(changed(old, new), store)
    statuses = [each for each in current.statuses.values() if each.task.kind == "training"]
    assert [status.state for status in statuses] == ["stale"] * 4
    assert [status.why() for status in statuses] == [why] * 4


def test_why_names_other_data(trials, store, finish, changed):
    finish(trials)
    current = plan.make_plan(changed("digits = 2", "digits = 3"), store)
    why = current.statuses[current.trials[0].trainings[0].key].why()
    assert "data[0].parameters.digits: 2 → 3" in why.split("; ")
    assert "data[0].fingerprints.train: sha256:" in why


def test_why_names_a_parameter_of_a_loss_and_a_new_version(trials, store, finish, monkeypatch):
    finish(trials[:2])
    other = with_training(trials[1], loss=RadialCTC(eta=0.1))
    status, _ = plan.make_plan([other], store).trial_statuses(other)
    assert status.why() == "loss.parameters.eta: 0.2 → 0.1"
    monkeypatch.setattr(CnnBiLSTM, "version", 2)
    other = with_training(trials[0])
    status, _ = plan.make_plan([other], store).trial_statuses(other)
    assert status.why() == "model.version: 1 → 2"


def test_why_names_a_rule_of_the_protocol(trials, store, finish):
    finish(trials[:1])
    (name, evaluation), *_ = trials[0].evaluations.items()
    newer = replace(evaluation.protocol, version=9, about="Other words.")
    other = Trial(trials[0].entry, 0, {name: replace(evaluation, protocol=newer)})
    training, status = plan.make_plan([other], store).trial_statuses(other)
    assert training.state == "done"
    assert status.why() == f"protocol.version: {evaluation.protocol.version} → 9"


def test_why_names_other_scans(trials, store, finish, monkeypatch):
    finish(trials[:1])
    monkeypatch.setattr(seq_digits, "SHA256", "other")
    other = with_training(trials[0])
    status, _ = plan.make_plan([other], store).trial_statuses(other)
    assert status.why().startswith("data[0].fingerprints.train: sha256:")


def test_why_names_the_edited_file_of_a_component_from_outside():
    before = {"loss": {"name": "mine", "source": {"file": "mine.py", "sha256": "a"}}}
    after = {"loss": {"name": "mine", "source": {"file": "mine.py", "sha256": "b"}}}
    assert list(plan.differences(before, after)) == ["loss.source: mine.py changed"]


def test_a_tuple_and_the_list_in_its_record_are_no_difference(trials, store, leave):
    for moment, pairs in enumerate([(), ((1, 2), (3, 4))], 1):
        training = with_training(trials[0], loss=Paired(pairs=pairs)).trainings[0]
        leave(training)
        os.utime(store.folder(training) / disk.TRAINING, (moment, moment))
        record = store.record(training)
        assert record.spec == training.spec
        assert hashing.digest(record.spec) == training.key
    other = with_training(trials[0], loss=Paired(pairs=((1, 2), (3, 5))))
    status, _ = plan.make_plan([other], store).trial_statuses(other)
    assert status.why() == "loss.parameters.pairs[1][1]: 4 → 5"


@pytest.mark.parametrize(
    ("before", "after", "listed"),
    [
        ({}, {"a": 1}, ["a: absent → 1"]),
        ({"a": 1}, {}, ["a: 1 → absent"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c: 2 → 3"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a: 1 → 2", "b: 1 → 2"]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": [1]}, {"a": [1, 2]}, ["a: [1] → [1, 2]"]),
        ({"a": [{"b": 1}, 2]}, {"a": [{"b": 3}, 2]}, ["a[0].b: 1 → 3"]),
        ({"a": {"b": 1}}, {"c": {}}, ["a: removed", "c: added"]),
        ({"a": "x"}, {"a": ""}, ["a: x → ''"]),
    ],
)
def test_differences(before, after, listed):
    assert list(plan.differences(before, after)) == listed


@given(specs, specs)
def test_specs_differ_where_their_keys_do(before, after):
    assert list(plan.differences(before, before)) == []
    if list(plan.differences(before, after)):
        assert hashing.digest(before) != hashing.digest(after)


@given(st.dictionaries(st.text("abc", min_size=1), scalars, min_size=1), st.data())
def test_one_changed_value_is_one_difference(spec, data):
    key = data.draw(st.sampled_from(sorted(spec)))
    listed = list(plan.differences({"x": spec}, {"x": spec | {key: "changed"}}))
    before = "''" if spec[key] == "" else spec[key]
    assert listed == [f"x.{key}: {before} → changed"]


def keys(tasks) -> list[str]:
    return [task.key for task in tasks]


def test_what_is_not_done_is_missing(trials, store, finish, leave):
    assert keys(plan.make_plan(trials, store).missing()) == keys(grid.tasks(trials))
    finish(trials[:3])
    leave(trials[3].trainings[0])
    current = plan.make_plan(trials, store)
    (evaluation,) = trials[3].evaluations.values()
    assert keys(current.missing()) == [evaluation.key]
    assert keys(current.missing(force=True)) == keys(grid.tasks(trials))


def test_the_evaluations_of_a_training_that_runs_again_run_again(trials, store, finish):
    finish(trials)
    (store.folder(trials[1].trainings[0]) / disk.TRAINING).unlink()
    assert keys(plan.make_plan(trials, store).missing()) == keys(trials[1].tasks)


def test_an_evaluation_that_is_gone_trains_nothing(trials, store, finish):
    finish(trials)
    (evaluation,) = trials[1].evaluations.values()
    (store.folder(evaluation) / disk.EVALUATION).unlink()
    assert keys(plan.make_plan(trials, store).missing()) == [evaluation.key]


def test_a_test_set_more_costs_evaluations_alone(trials, store, finish, changed):
    finish(trials)
    wide = changed(DATA, TWO_TESTS)
    missing = plan.make_plan(wide, store).missing()
    assert keys(missing) == [trial.evaluations["seq-digits"].key for trial in wide]


def test_records_made_by_other_sources_are_run_again_on_demand(
    trials, store, leave, make_provenance
):
    digests = provenance.source_digests()
    same = {"losses/ctc.py": digests["losses/ctc.py"]}
    other = {"losses/ctc.py": "0" * 12, "nn/gone.py": "1" * 12}
    for number, trial in enumerate(trials):
        for task in trial.tasks:
            sources = other if number == 2 and task.kind == "training" else same
            leave(task, provenance=make_provenance(task, sources=sources))
    current = plan.make_plan(trials, store)
    assert current.missing() == []
    assert keys(current.missing(changed=True)) == keys(trials[2].tasks)
    assert [*current.with_changed_sources().statuses] == [trials[2].trainings[0].key]
    assert current.state(trials[2]) == "done"
    assert current.why(trials[2]) == "made by other sources: losses/ctc.py, nn/gone.py"


def cost(trials, store):
    current = plan.make_plan(trials, store)
    return plan.estimated_cost(current, current.missing()).cores


def test_no_cost_without_a_record(trials, store):
    fail(store, trials[0].trainings[0])
    current = plan.make_plan(trials, store)
    assert plan.estimated_cost(current, current.missing()) is None


@pytest.mark.parametrize(("gpus", "seconds"), [(0.5, 5.0), (1.0, 10.0), (0.0, 10.0)])
def test_the_cost_counts_the_gpus_that_a_record_had(
    trials, store, leave, make_provenance, gpus, seconds
):
    ctc, _, ctc_1, _ = trials
    training = ctc.trainings[0]
    origin = make_provenance(training, gpu="Example GPU", gpus=gpus)
    leave(training, timings=TrainingTimings(0.0, 10.0, 0.0), provenance=origin)
    current = plan.make_plan([ctc, ctc_1], store)
    assert plan.estimated_cost(current, [ctc_1.trainings[0]]) == plan.Cost(cores=10.0, gpus=seconds)


def test_a_training_costs_what_its_like_cost(trials, store, leave):
    ctc, radial, ctc_1, radial_1 = trials
    timed(leave, ctc, 10)
    timed(leave, radial, 30)
    assert cost([ctc, ctc_1], store) == 10
    assert cost([radial, radial_1], store) == 30
    assert cost(trials, store) == 40
    timed(leave, ctc_1, 20)
    third = with_training(ctc, seed=2)
    assert cost([ctc, ctc_1, third], store) == 15


def test_a_training_without_its_like_costs_the_mean_of_all(trials, store, leave):
    ctc, radial, ctc_1, radial_1 = trials
    timed(leave, ctc, 10)
    timed(leave, ctc_1, 20)
    assert cost([ctc, ctc_1, radial], store) == 15
    assert cost([ctc, ctc_1, radial, radial_1], store) == 30


def test_a_stale_training_costs_what_its_old_record_cost(trials, store, leave, changed):
    timed(leave, trials[0], 10)
    later = changed("epochs = 1", "epochs = 2")
    assert plan.make_plan(later, store).state(later[0]) == "stale"
    assert cost(later[:1], store) == 10
    assert cost(later, store) == 40


def test_the_cost_of_evaluations_is_apart_from_trainings(trials, store, leave, changed):
    for trial in trials:
        timed(leave, trial, 100)
    assert cost(trials, store) == 0
    wide = changed(DATA, TWO_TESTS)
    for evaluation in (trial.evaluations["seq-digits"] for trial in wide[:1]):
        leave(evaluation, seconds=8.0)
    assert cost(wide[2:3], store) == 0
    assert cost([wide[0], wide[2]], store) == pytest.approx(8 / 3)


@pytest.mark.parametrize(("devices", "cores"), [(1, 40), (2, 80)])
def test_the_cost_counts_the_cores_that_a_record_had(trials, store, leave, devices, cores):
    resources = Resources(cpus=4, devices=devices)
    training = with_training(trials[0], resources=resources).trainings[0]
    record = leave(training, timings=TrainingTimings(0.0, 10.0, 0.0))
    assert record.provenance.threads == 4
    four = [with_training(trial, resources=resources) for trial in trials[::2]]
    current = plan.make_plan(four, store)
    missing = [task for task in current.missing() if task.kind == "training"]
    assert plan.estimated_cost(current, missing) == plan.Cost(cores=cores, gpus=0)


def test_the_advice_about_a_record_of_another_schema_helps(trials, store, leave, bench):
    training = trials[0].trainings[0]
    leave(training)
    folder = store.folder(training)
    text = (folder / disk.TRAINING).read_text()
    (folder / disk.TRAINING).write_text(text.replace(f'"schema": {disk.SCHEMA}', '"schema": 0'))
    answer = bench("run", "tiny", "--force", "--dry-run")
    assert answer.code == Exit.UNVERIFIED
    assert "--force" not in answer.err
    assert "move the folder away" in answer.err
    folder.rename(store.root.parent / "away")
    assert bench("run", "tiny", "--force", "--dry-run").code == Exit.DONE


def test_a_record_of_a_trial_that_was_not_selected_is_not_stale(home, trials, finish, bench):
    file = home / "bench.toml"
    two = '"radial-ctc", { name = "radial-ctc", eta = 0.5 }'
    file.write_text(file.read_text().replace('"radial-ctc"', two))
    finish([trial for trial in trials if trial.entry.loss.name == "radial-ctc"])
    words = ("run", "tiny", "--dry-run", "--json", "-l", "radial-ctc(eta=0.5)", "--seeds", "0")
    tasks = json.loads(bench(*words).out)["tasks"]
    assert {(task["state"], task["why"]) for task in tasks} == {("to do", "")}

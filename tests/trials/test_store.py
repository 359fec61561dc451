"""Records on disk: whole or not there, and read again as they were written."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.trials import store as disk
from bench.trials.records import (
    Attempt,
    CurvePoint,
    EvaluationRecord,
    Failure,
    TrainingRecord,
    TrainingTimings,
)

finite = st.floats(0, allow_nan=False, allow_infinity=False)
naturals = st.integers(0, 2**53)
points = st.builds(CurvePoint, st.integers(1, 2**53), finite, finite, finite, finite, naturals)


def failure(task, **changes) -> Failure:
    failed = Failure(
        key=task.key,
        spec=task.spec,
        labels=task.labels,
        seed=task.seed,
        attempts=[Attempt("error", "ValueError: no", "2025-11-21T08:00:00+00:00")],
    )
    return replace(failed, **changes)


def widened(task, width):
    """Return a task with another width of the model, and so with another key."""
    training = task.training
    training = replace(training, model=replace(training.model, width=width))
    return training if task.kind == "training" else replace(task, training=training)


@pytest.fixture
def trainings(trials):
    """Return the trainings of `tiny`: ctc and radial-ctc under seed 0, then under seed 1."""
    return [trial.trainings[0] for trial in trials]


@pytest.fixture
def save(store, leave):
    """Return a function that leaves a record of some age, in seconds, and returns its folder."""

    def write(task, age: float = 0.0, **changes) -> Path:
        leave(task, **changes)
        folder = store.folder(task)
        then = time.time() - age
        os.utime(folder / disk.RECORDS[task.kind], (then, then))
        return folder

    return write


@pytest.fixture(params=["training", "evaluation"])
def tasks(request, trials):
    """Return the four tasks of one kind."""
    if request.param == "training":
        return [trial.trainings[0] for trial in trials]
    return [trial.evaluations["seq-digits"] for trial in trials]


def test_an_unfinished_file_is_not_a_record(tasks, store, save):
    sibling = widened(tasks[0], 3)
    folder = store.begin(sibling)
    for name in (*disk.RECORDS.values(), disk.FAILURE, disk.PREDICTIONS):
        (folder / f".{name}.{'a' * 32}.part").write_text("{")
    assert store.record(sibling) is None
    assert store.failure(sibling) is None
    assert list(store.siblings(tasks[0])) == []
    with pytest.raises(BenchError, match="no task has"):
        store.find(sibling.key)
    save(tasks[0])
    assert store.find("")[1].key == tasks[0].key


def test_a_record_is_read_as_it_was_written(tasks, store, leave):
    for task in tasks:
        record = leave(task, {"correct": 3, "samples": 4, "excluded": 2})
        assert store.record(task) == record
        assert record.key == task.key
        assert store.folder(task) == store.root / task.path
    assert store.records(tasks[0].kind) == sorted(
        store.folder(task) / disk.RECORDS[task.kind] for task in tasks
    )


def test_an_evaluation_has_its_scores_and_what_was_excluded(evaluations, store, leave):
    leave(evaluations[0], {"correct": 3, "samples": 4, "excluded": 2})
    record = store.record(evaluations[0])
    assert record.scores["sequence-accuracy"] == 3 / 4
    assert record.scores["cer"] == 1 / 16
    assert record.excluded == {"empty reference": 2}
    assert record.training == evaluations[0].training.key


def test_a_failure_is_read_as_it_was_written(tasks, store):
    failed = failure(tasks[0], attempts=[Attempt("error", 'ValueError: "ü"\n  twice', "")])
    disk.write(store.begin(tasks[0]) / disk.FAILURE, failed)
    assert store.failure(tasks[0]) == failed
    assert store.record(tasks[0]) is None
    assert store.failure(tasks[1]) is None


def test_a_record_is_text_that_a_person_can_read(save, evaluations):
    text = (save(evaluations[0]) / disk.EVALUATION).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 50
    document = json.loads(text)
    assert document["schema"] == disk.SCHEMA
    assert document["scores"]["sequence-accuracy"] == 0.5


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    curve=st.lists(points, min_size=1, max_size=3, unique_by=lambda point: point.step),
    timings=st.builds(TrainingTimings, finite, finite, finite),
    excluded=st.dictionaries(st.text(max_size=5), naturals, max_size=3),
    gpu=st.none() | st.text(max_size=9),
    score=finite,
)
def test_any_record_is_read_as_it_was_written(
    tmp_path,
    trials,
    make_training_record,
    make_evaluation_record,
    curve,
    timings,
    excluded,
    gpu,
    score,
):
    training, evaluation = trials[0].tasks
    curve = sorted(curve, key=lambda point: point.step)
    trained = make_training_record(
        training, curve=curve, selected_step=curve[0].step, timings=timings
    )
    trained = replace(trained, provenance=replace(trained.provenance, gpu=gpu))
    disk.write(tmp_path / disk.TRAINING, trained)
    assert disk.read_record(tmp_path / disk.TRAINING) == trained
    evaluated = make_evaluation_record(evaluation, excluded=0, scores={"cer": score})
    evaluated = replace(evaluated, excluded=excluded, dropped=excluded)
    disk.write(tmp_path / disk.EVALUATION, evaluated)
    assert disk.read_record(tmp_path / disk.EVALUATION) == evaluated


def test_records_from_before_a_field_was_added_are_read(
    tmp_path, trials, make_training_record, make_profile
):
    training, evaluation = trials[0].tasks
    file = tmp_path / disk.TRAINING
    record = make_training_record(training)
    disk.write(file, record)
    later = ("peak_memory",), ("driver", "cuda", "cudnn", "gpus", "precision")
    document = json.loads(file.read_text())
    for name in later[0]:
        del document[name]
    for name in later[1]:
        del document["provenance"][name]
    file.write_text(json.dumps(document))
    assert disk.read_record(file) == record
    profile = make_profile(evaluation)
    store = disk.Store(tmp_path)
    file = store.keep(profile)
    document = json.loads(file.read_text())
    del document["throughput"]
    for latency in document["latencies"]:
        del latency["peak_memory"], latency["clocks"]
    file.write_text(json.dumps(document))
    assert store.profile(profile.key) == profile


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b"{}",
        b'"schema"',
        b"\xff\xfe",
        b'{"schema": 3}',
        b'{"schema": 3, "key": 3}',
    ],
)
@pytest.mark.parametrize(
    ("kind", "noun"),
    [(TrainingRecord, "a training"), (EvaluationRecord, "an evaluation"), (Failure, "a failure")],
)
def test_what_is_not_a_record_is_an_error(tmp_path, content, kind, noun):
    file = tmp_path / "record.json"
    file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        disk.read(file, kind)
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: this is not {noun} of bench")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("schema", [0, 2, 4, "3", None, [3]])
def test_another_schema_is_an_error(save, tasks, store, schema):
    file = save(tasks[0]) / disk.RECORDS[tasks[0].kind]
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"schema": schema}))
    with pytest.raises(BenchError) as caught:
        store.record(tasks[0])
    assert caught.value.code == Exit.UNVERIFIED
    assert str(file) in str(caught.value)
    assert f"schema is {schema}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"seed": None},
        {"scores": []},
        {"scores": {"cer": None}},
        {"excluded": {"x": 0.5}},
        {"spec": "x"},
        {"labels": {"test": 3}},
        {"samples": "9"},
        {"files": None},
        {"provenance": {}},
    ],
)
def test_a_value_of_a_wrong_type_is_an_error(save, evaluations, store, change):
    file = save(evaluations[0]) / disk.RECORDS[evaluations[0].kind]
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | change))
    with pytest.raises(BenchError, match="evaluation of bench") as caught:
        store.record(evaluations[0])
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("missing", ["key", "spec", "scores", "seconds", "provenance", "schema"])
def test_a_record_without_a_key_is_an_error(save, evaluations, store, missing):
    file = save(evaluations[0]) / disk.RECORDS[evaluations[0].kind]
    document = json.loads(file.read_text())
    del document[missing]
    file.write_text(json.dumps(document))
    with pytest.raises(BenchError, match=f"evaluation of bench .*{missing}") as caught:
        store.record(evaluations[0])
    assert caught.value.code == Exit.UNVERIFIED


def test_a_task_is_found_by_the_beginning_of_its_key(save, tasks, store):
    folders = [save(task) for task in tasks]
    for task, folder in zip(tasks, folders, strict=True):
        lengths = (n for n in count(1) if sum(t.key.startswith(task.key[:n]) for t in tasks) == 1)
        for length in (next(lengths), 16):
            assert store.find(task.key[:length]) == (folder, store.record(task))


def test_a_task_is_found_by_its_folder(save, tasks, store, home, monkeypatch):
    folder = save(tasks[1])
    save(tasks[0])
    assert store.find(str(folder)) == (folder, store.record(tasks[1]))
    inside = str(folder.relative_to(home))
    assert store.find(inside)[1].key == tasks[1].key
    assert store.find(f"{inside}/")[1].key == tasks[1].key
    monkeypatch.chdir(folder)
    assert store.find(".")[1].key == tasks[1].key


def test_a_failed_task_is_found_as_its_failure(tasks, store):
    folder = store.begin(tasks[0])
    disk.write(folder / disk.FAILURE, failure(tasks[0]))
    assert store.find(tasks[0].key) == (folder, failure(tasks[0]))


def test_a_record_goes_before_a_failure(save, tasks, store):
    folder = save(tasks[0])
    disk.write(folder / disk.FAILURE, failure(tasks[0]))
    assert store.find(tasks[0].key)[1] == store.record(tasks[0])


def test_a_beginning_of_several_keys_is_an_error(save, tasks, store):
    for task in tasks:
        save(task)
    with pytest.raises(BenchError, match=r"4 tasks have .* begins with ''"):
        store.find("")


@pytest.mark.parametrize("word", ["ffffffffffffffffff", "*", "[0-9a-f]", "?", "nowhere/at/all"])
def test_an_unknown_key_is_an_error(save, tasks, store, word):
    save(tasks[0])
    with pytest.raises(BenchError, match="no task has a record") as caught:
        store.find(word)
    assert f"'{word}'" in str(caught.value)
    assert "bench status" in str(caught.value)


def test_a_folder_without_record_and_failure_is_not_found(tasks, store):
    store.begin(tasks[0])
    with pytest.raises(BenchError, match="no task has"):
        store.find(tasks[0].key)
    with pytest.raises(BenchError, match="no task has"):
        store.find(str(store.folder(tasks[0])))


def test_beginning_again_clears_the_failure_and_keeps_the_record(save, tasks, store):
    folder = save(tasks[0])
    kept = {
        disk.RECORDS[tasks[0].kind],
        disk.PREDICTIONS,
        disk.WEIGHTS,
        ".training.json.new.part",
        "old.part",
    }
    cleared = {disk.FAILURE, disk.LOG, ".training.json.old.part", ".weights.safetensors.old.part"}
    record = (folder / disk.RECORDS[tasks[0].kind]).read_bytes()
    for name in (kept | cleared) - {disk.RECORDS[tasks[0].kind]}:
        (folder / name).write_text("x")
    old = time.time() - 2 * 3600
    for name in ("old.part", ".training.json.old.part", ".weights.safetensors.old.part"):
        os.utime(folder / name, (old, old))
    assert store.begin(tasks[0]) == folder
    assert {path.name for path in folder.iterdir()} == kept
    assert (folder / disk.RECORDS[tasks[0].kind]).read_bytes() == record


def test_beginning_clears_nothing_of_another_task(save, tasks, store):
    other = store.begin(tasks[1])
    disk.write(other / disk.FAILURE, failure(tasks[1]))
    save(tasks[0])
    assert store.failure(tasks[1]) == failure(tasks[1])


def test_siblings_are_the_same_names_and_seed_newest_first(save, tasks, store):
    task = tasks[0]
    changed = [widened(task, width) for width in (3, 4, 5)]
    for other, age in zip(changed, (50, 10, 90), strict=True):
        save(other, age)
    save(task)
    save(tasks[1])
    save(tasks[2])
    failed = widened(task, 6)
    disk.write(store.begin(failed) / disk.FAILURE, failure(failed))
    assert [record.key for record in store.siblings(task)] == [
        changed[1].key,
        changed[0].key,
        changed[2].key,
    ]
    assert {record.key for record in store.siblings(failed)} == {
        task.key,
        *(other.key for other in changed),
    }


def test_siblings_of_one_moment_are_in_order_of_their_keys(save, tasks, store):
    task = tasks[0]
    changed = [widened(task, width) for width in range(3, 8)]
    for other in changed:
        os.utime(save(other) / disk.RECORDS[tasks[0].kind], (1e9, 1e9))
    assert [record.key for record in store.siblings(task)] == sorted(t.key for t in changed)


def test_a_seed_is_not_a_sibling_of_one_that_begins_with_it(save, tasks, store):
    eleven = widened(tasks[2], 3)
    if eleven.kind == "training":
        eleven = replace(eleven, seed=11)
    else:
        eleven = replace(eleven, training=replace(eleven.training, seed=11))
    save(eleven)
    assert list(store.siblings(tasks[2])) == []


def test_an_empty_store_has_nothing(tasks, store):
    assert store.record(tasks[0]) is None
    assert store.failure(tasks[0]) is None
    assert list(store.siblings(tasks[0])) == []
    assert not store.root.exists()


def test_a_profile_is_read_as_it_was_written(store, evaluations, make_profile):
    made = [make_profile(task, name) for task in evaluations[:2] for name in ("A", "B")]
    files = [store.keep(profile) for profile in made]
    assert files == [store.root / "profiles" / f"{profile.key}.json" for profile in made]
    assert list(store.profiles()) == sorted(made, key=lambda profile: profile.key)
    assert [store.profile(profile.key) for profile in made] == made
    assert store.profile("beef") is None


def test_a_profile_replaces_the_one_under_its_key(store, evaluations, make_profile):
    store.keep(make_profile(evaluations[0], reason="busy"))
    store.keep(make_profile(evaluations[0]))
    assert [profile.valid for profile in store.profiles()] == [True]


def test_a_profile_that_cannot_be_read_is_passed_over(store, evaluations, make_profile):
    kept = make_profile(evaluations[0])
    store.keep(kept)
    store.keep(make_profile(evaluations[1], schema=disk.SCHEMA + 1))
    (store.root / "profiles" / "0.json").write_text("{")
    assert list(store.profiles()) == [kept]


def test_profiles_are_never_taken_for_tasks(store, evaluations, save, make_profile):
    profile = make_profile(evaluations[0])
    store.keep(profile)
    for word in ("", profile.key):
        with pytest.raises(BenchError, match="no task has"):
            store.find(word)
    save(evaluations[0])
    assert store.find("")[1].key == evaluations[0].key
    assert list(store.siblings(evaluations[0])) == []


def test_a_training_is_found_by_its_key(trainings, store, leave):
    record = leave(trainings[1])
    assert store.training(record.key) == (store.folder(trainings[1]), record)
    with pytest.raises(BenchError, match=f"training {trainings[0].key} is missing") as caught:
        store.training(trainings[0].key)
    assert caught.value.code == Exit.UNVERIFIED


def test_a_file_is_given_only_while_it_is_what_its_record_says(trainings, store, leave):
    record = leave(trainings[0])
    folder = store.folder(trainings[0])
    weights = folder / disk.WEIGHTS
    assert disk.content(folder, record, disk.WEIGHTS) == weights.read_bytes()
    for change, fault in (
        (lambda: weights.write_bytes(b"other"), "does not match the checksum in its record"),
        (weights.unlink, "is missing"),
    ):
        change()
        with pytest.raises(BenchError, match=f"this file of {record.key} {fault}") as caught:
            disk.content(folder, record, disk.WEIGHTS)
        assert caught.value.code == Exit.UNVERIFIED


def test_a_folder_that_cannot_be_written_is_an_error(home):
    (home / "file").write_text("")
    with pytest.raises(BenchError, match="name another folder with --results"):
        disk.Store(home / "file").prepare()

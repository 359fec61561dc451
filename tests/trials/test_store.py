"""Records on disk: whole or not there, and read again as they were written."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from bench.evaluation.metrics.error_rates import ErrorRates
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.trials import store as disk
from bench.trials.records import Epoch
from bench.trials.store import Attempt, Failure, Record

RATES = {"correct": 3, "samples": 4, "edits": 1, "length": 8}
finite = st.floats(allow_nan=False, allow_infinity=False)
naturals = st.integers(0, 2**53)


def failure(trial, **changes) -> Failure:
    found = Failure(
        key=trial.key,
        spec=trial.spec,
        labels=trial.labels,
        seed=trial.seed,
        attempts=[Attempt("error", "ValueError: no", "2025-11-21T08:00:00+00:00")],
    )
    return replace(found, **changes)


@pytest.fixture
def save(store, make_record):
    """Return a function that leaves a record of a trial in the store."""

    def write(trial, age: float = 0.0, **changes) -> Path:
        folder = store.begin(trial)
        disk.write(folder / disk.RECORD, make_record(trial, **RATES, **changes))
        then = time.time() - age
        os.utime(folder / disk.RECORD, (then, then))
        return folder

    return write


def test_a_part_is_taken_for_nothing(trials, store, save):
    sibling = replace(trials[0], model=replace(trials[0].model, width=3))
    folder = store.begin(sibling)
    for name in (disk.RECORD, disk.FAILURE, disk.PREDICTIONS):
        (folder / f".{name}.{'a' * 32}.part").write_text("{")
    assert store.record(sibling) is None
    assert store.failure(sibling) is None
    assert list(store.siblings(trials[0])) == []
    with pytest.raises(BenchError, match="no trial has"):
        store.find(sibling.key)
    save(trials[0])
    assert store.find("")[1].key == trials[0].key


def test_a_record_is_read_as_it_was_written(trials, store, make_record):
    for trial in trials:
        record = make_record(trial, **RATES, excluded={"empty reference": 2})
        folder = store.begin(trial)
        disk.write(folder / disk.RECORD, record)
        assert store.record(trial) == record
        assert store.record(trial).key == trial.key
        assert (
            store.folder(trial)
            == store.root / "seq-digits" / "cnn-bilstm" / trial.loss.name / folder.name
        )
        assert folder.name == f"seed{trial.seed}-{trial.key}"


def test_a_failure_is_read_as_it_was_written(trials, store):
    said = failure(trials[0], attempts=[Attempt("error", 'ValueError: "ü"\n  twice', "")])
    disk.write(store.begin(trials[0]) / disk.FAILURE, said)
    assert store.failure(trials[0]) == said
    assert store.record(trials[0]) is None
    assert store.failure(trials[1]) is None


def test_a_record_is_text_that_a_person_can_read(save, trials):
    text = (save(trials[0]) / disk.RECORD).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 50
    document = json.loads(text)
    assert document["schema"] == disk.SCHEMA
    assert document["metrics"]["test"]["correct"] == 3


@settings(max_examples=30)
@given(
    epochs=st.lists(st.builds(Epoch, naturals, finite, finite, finite), max_size=3),
    timings=st.builds(disk.Timings, finite, finite, finite, finite),
    excluded=st.dictionaries(st.text(max_size=5), naturals, max_size=3),
    gpu=st.none() | st.text(max_size=9),
    total=naturals,
)
def test_any_record_is_read_as_it_was_written(
    tmp_path_factory, make_record, epochs, timings, excluded, gpu, total
):
    made = make_record(quick_trial(), **RATES)
    record = replace(
        made,
        curve=epochs,
        timings=timings,
        metrics={"test": ErrorRates(total, 0, total, total, excluded)},
        provenance=replace(made.provenance, gpu=gpu),
    )
    file = tmp_path_factory.getbasetemp() / "any-record.json"
    disk.write(file, record)
    assert disk.read(file, Record) == record


def quick_trial():
    from bench.config import bench_toml as config
    from bench.trials import grid

    own = Path(config.__file__).parents[2] / "bench.toml"
    return grid.trials(config.load(own).suite("quick"))[0]


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
        b'{"schema": 1}',
        b'{"schema": 1, "key": 3}',
    ],
)
@pytest.mark.parametrize("kind", [Record, Failure])
def test_what_is_no_record_is_said(tmp_path, content, kind):
    file = tmp_path / "record.json"
    file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        disk.read(file, kind)
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: this is not a {kind.__name__.lower()} of bench")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("schema", [0, 2, "1", None, [1]])
def test_another_schema_is_said(save, trials, store, schema):
    file = save(trials[0]) / disk.RECORD
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"schema": schema}))
    with pytest.raises(BenchError) as caught:
        store.record(trials[0])
    assert caught.value.code == Exit.UNVERIFIED
    assert str(file) in str(caught.value)
    assert f"schema is {schema}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"seed": None},
        {"metrics": []},
        {"metrics": {"test": {"samples": 1}}},
        {"curve": {}},
        {"curve": [{"epoch": 1, "loss": None}]},
        {"spec": "x"},
        {"labels": {"dataset": 3}},
        {"parameters": 12345},
        {"files": None},
        {"provenance": {}},
    ],
)
def test_a_value_of_a_wrong_type_is_said(save, trials, store, change):
    file = save(trials[0]) / disk.RECORD
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | change))
    with pytest.raises(BenchError, match="this is not a record of bench") as caught:
        store.record(trials[0])
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{file}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("missing", ["key", "spec", "metrics", "timings", "provenance", "schema"])
def test_a_record_without_a_key_is_no_record(save, trials, store, missing):
    file = save(trials[0]) / disk.RECORD
    document = json.loads(file.read_text())
    del document[missing]
    file.write_text(json.dumps(document))
    with pytest.raises(BenchError, match=f"no record of bench .*{missing}") as caught:
        store.record(trials[0])
    assert caught.value.code == Exit.UNVERIFIED


def test_a_trial_is_found_by_the_beginning_of_its_key(save, trials, store):
    folders = [save(trial) for trial in trials]
    for trial, folder in zip(trials, folders, strict=True):
        lengths = (n for n in count(1) if sum(t.key.startswith(trial.key[:n]) for t in trials) == 1)
        for length in (next(lengths), 16):
            assert store.find(trial.key[:length]) == (folder, store.record(trial))


def test_a_trial_is_found_by_its_folder(save, trials, store, home, monkeypatch):
    folder = save(trials[1])
    save(trials[0])
    assert store.find(str(folder)) == (folder, store.record(trials[1]))
    inside = str(folder.relative_to(home))
    assert store.find(inside)[1].key == trials[1].key
    assert store.find(f"{inside}/")[1].key == trials[1].key
    monkeypatch.chdir(folder)
    assert store.find(".")[1].key == trials[1].key


def test_a_failed_trial_is_found_as_its_failure(trials, store):
    folder = store.begin(trials[0])
    disk.write(folder / disk.FAILURE, failure(trials[0]))
    assert store.find(trials[0].key) == (folder, failure(trials[0]))


def test_a_record_goes_before_a_failure(save, trials, store):
    folder = save(trials[0])
    disk.write(folder / disk.FAILURE, failure(trials[0]))
    assert isinstance(store.find(trials[0].key)[1], Record)


def test_a_beginning_of_several_keys_is_said(save, trials, store):
    for trial in trials:
        save(trial)
    with pytest.raises(BenchError, match=r"4 trials have .* begins with ''"):
        store.find("")


@pytest.mark.parametrize("word", ["ffffffffffffffffff", "*", "[0-9a-f]", "?", "nowhere/at/all"])
def test_an_unknown_key_is_said(save, trials, store, word):
    save(trials[0])
    with pytest.raises(BenchError, match="no trial has left anything") as caught:
        store.find(word)
    assert f"'{word}'" in str(caught.value)
    assert "bench status" in str(caught.value)


def test_a_folder_without_record_and_failure_is_not_found(trials, store):
    store.begin(trials[0])
    with pytest.raises(BenchError, match="no trial has"):
        store.find(trials[0].key)
    with pytest.raises(BenchError, match="no trial has"):
        store.find(str(store.folder(trials[0])))


def test_beginning_again_clears_the_failure_and_keeps_the_record(save, trials, store):
    folder = save(trials[0])
    kept = {disk.RECORD, disk.PREDICTIONS, disk.WEIGHTS, ".record.json.new.part", "old.part"}
    cleared = {disk.FAILURE, disk.LOG, ".record.json.old.part", ".weights.safetensors.old.part"}
    record = (folder / disk.RECORD).read_bytes()
    for name in (kept | cleared) - {disk.RECORD}:
        (folder / name).write_text("x")
    old = time.time() - 2 * 3600
    for name in ("old.part", ".record.json.old.part", ".weights.safetensors.old.part"):
        os.utime(folder / name, (old, old))
    assert store.begin(trials[0]) == folder
    assert {path.name for path in folder.iterdir()} == kept
    assert (folder / disk.RECORD).read_bytes() == record


def test_beginning_clears_nothing_of_another_trial(save, trials, store):
    other = store.begin(trials[1])
    disk.write(other / disk.FAILURE, failure(trials[1]))
    save(trials[0])
    assert store.failure(trials[1]) == failure(trials[1])


def test_siblings_are_the_same_names_and_seed_newest_first(save, trials, store):
    trial = trials[0]
    changed = [replace(trial, model=replace(trial.model, width=width)) for width in (3, 4, 5)]
    for other, age in zip(changed, (50, 10, 90), strict=True):
        save(other, age)
    save(trial)
    save(trials[1])
    save(trials[2])
    failed = replace(trial, model=replace(trial.model, width=6))
    disk.write(store.begin(failed) / disk.FAILURE, failure(failed))
    assert [record.key for record in store.siblings(trial)] == [
        changed[1].key,
        changed[0].key,
        changed[2].key,
    ]
    assert {record.key for record in store.siblings(failed)} == {
        trial.key,
        *(other.key for other in changed),
    }


def test_siblings_of_one_moment_are_in_order_of_their_keys(save, trials, store):
    trial = trials[0]
    changed = [replace(trial, model=replace(trial.model, width=width)) for width in range(3, 8)]
    for other in changed:
        os.utime(save(other) / disk.RECORD, (1e9, 1e9))
    assert [record.key for record in store.siblings(trial)] == sorted(t.key for t in changed)


def test_a_seed_is_no_sibling_of_one_that_begins_with_it(save, trials, store):
    eleven = replace(trials[2], seed=11, model=replace(trials[2].model, width=3))
    save(eleven)
    assert list(store.siblings(trials[2])) == []


def test_an_empty_store_has_nothing(trials, store):
    assert store.record(trials[0]) is None
    assert store.failure(trials[0]) is None
    assert list(store.siblings(trials[0])) == []
    assert not store.root.exists()


def test_a_profile_is_read_as_it_was_written(store, trials, make_profile):
    made = [make_profile(trial, name) for trial in trials[:2] for name in ("A", "B")]
    files = [store.keep(profile) for profile in made]
    assert files == [store.root / "profiles" / f"{profile.key}.json" for profile in made]
    assert list(store.profiles()) == sorted(made, key=lambda profile: profile.key)
    assert [store.profile(profile.key) for profile in made] == made
    assert store.profile("beef") is None


def test_a_profile_replaces_the_one_under_its_key(store, trials, make_profile):
    store.keep(make_profile(trials[0], reason="busy"))
    store.keep(make_profile(trials[0]))
    assert [profile.valid for profile in store.profiles()] == [True]


def test_a_profile_that_cannot_be_read_is_passed_over(store, trials, make_profile):
    kept = make_profile(trials[0])
    store.keep(kept)
    store.keep(make_profile(trials[1], schema=disk.SCHEMA + 1))
    (store.root / "profiles" / "0.json").write_text("{")
    assert list(store.profiles()) == [kept]


def test_profiles_are_never_taken_for_trials(store, trials, save, make_profile):
    profile = make_profile(trials[0])
    store.keep(profile)
    for word in ("", profile.key):
        with pytest.raises(BenchError, match="no trial has"):
            store.find(word)
    save(trials[0])
    assert store.find("")[1].key == trials[0].key
    assert list(store.siblings(trials[0])) == []

"""A damaged file is reported in one sentence and kept, and the other results can still be used."""

from __future__ import annotations

import hashlib
import json
import os

import pyarrow as pa
import pytest

from bench.evaluation import predictions
from bench.trials import store as disk

from .conftest import FIRST

USUAL = {"empty", "braces", "a pipe", "a link to itself"}
"""The cases that are not marked slow."""
TRACEBACK = "Traceback (most recent call last)"


def mostly_slow(names, usual=USUAL):
    """Return names as parameters, of which those not in `USUAL` are slow."""
    return [pytest.param(name, marks=[] if name in usual else pytest.mark.slow) for name in names]


def fields(**changes):
    """Return a function that sets fields of a JSON document, or removes those that are None."""

    def change(file):
        document = json.loads(file.read_text()) | changes
        document = {name: value for name, value in document.items() if value is not None}
        file.write_text(json.dumps(document))

    return change


def spec_without(part):
    def change(file):
        document = json.loads(file.read_text())
        del document["spec"][part]
        file.write_text(json.dumps(document))

    return change


def content(held):
    return lambda file: file.write_bytes(held)


def replaced_by(make):
    """Return a function that replaces the content of a file."""

    def change(file):
        file.unlink()
        make(file)

    return change


ANY = {
    "empty": content(b""),
    "braces": content(b"{}"),
    "a list": content(b"[3]"),
    "not UTF-8": content(b'{"schema": 3, "key": "\xff"}'),
    "nested": content(b'{"schema": 3, "spec": ' + b"[" * 90_000),
    "a pipe": replaced_by(os.mkfifo),
    "a device": replaced_by(lambda file: file.symlink_to("/dev/zero")),
    "a link to itself": replaced_by(lambda file: file.symlink_to(file)),
    "a folder": replaced_by(os.mkdir),
    "64 GiB": lambda file: os.truncate(file, 2**36),
    "no labels": fields(labels={}),
    "no spec": fields(spec={}),
    "a negative seed": fields(seed=-1),
    "another key": fields(key="0" * 16),
    "another file": fields(files={"../../x": "0" * 64}),
}
EVALUATION = {
    "no sample": fields(samples=0),
    "no scores": fields(scores=None),
    "a score that is a text": fields(scores={"cer": "low"}),
    "a metric that the board does not have": fields(scores={"taste": 1.0}),
    "a negative count": fields(excluded={"empty": -1}),
    "no protocol": spec_without("protocol"),
    "infinite": lambda file: file.write_text(
        file.read_text().replace('"seconds": 0.5', '"seconds": 1e999')
    ),
    "not a number": lambda file: file.write_text(
        file.read_text().replace('"seconds": 0.5', '"seconds": NaN')
    ),
}
TRAINING = {
    "no curve": fields(curve=[]),
    "a step of no curve": fields(selected_step=11),
    "a vocabulary that is a number": fields(vocabulary=3),
    "a shape of two": fields(input_shape=[1, 2]),
    "another seed": fields(seed=7),
}


def reported_sentence(answer, file) -> str:
    """Return the only sentence that names a file; the output has no raw texts and no traceback."""
    assert TRACEBACK not in answer.out + answer.err
    lines = [line for line in answer.err.splitlines() if str(file) in line]
    assert len(lines) == 1, answer.err
    return lines[0]


@pytest.mark.parametrize("name", [*ANY, *EVALUATION])
def test_an_impossible_evaluation_is_reported_and_the_others_are_listed(
    bench, finished, store, name
):
    file = store.folder(finished[0].evaluations[FIRST]) / disk.EVALUATION
    (ANY | EVALUATION)[name](file)
    answer = bench("status", "tiny")
    assert answer.code == 5
    assert "move the folder away and run its suite again" in reported_sentence(answer, file)
    assert "evaluations: 1 damaged, 7 done" in answer.out


@pytest.mark.parametrize("name", mostly_slow([*ANY, *TRAINING], {*USUAL, *TRAINING}))
def test_an_impossible_training_is_reported_and_the_others_are_listed(bench, finished, store, name):
    file = store.folder(finished[0].trainings[0]) / disk.TRAINING
    (ANY | TRAINING)[name](file)
    answer = bench("status", "tiny")
    assert answer.code == 5
    assert "move the folder away and run its suite again" in reported_sentence(answer, file)
    assert "trainings: 1 damaged, 3 done" in answer.out


@pytest.mark.parametrize("name", ["braces", "a pipe"])
def test_each_verb_reports_a_damaged_evaluation_and_continues(
    bench, home, published, store, trials, name
):
    damaged, training = trials[0].evaluations[FIRST], trials[0].trainings[0]
    file = store.folder(damaged) / disk.EVALUATION
    ANY[name](file)
    for words, shown in (
        (("run", "tiny", "--dry-run"), "0 trainings to run"),
        (("run", "tiny", "--dry-run", "--force"), "3 evaluations to run"),
        (("board", "tiny"), "radial-ctc"),
        (("show", training.key), "12,345 parameters"),
        (("compare", training.key, trials[1].trainings[0].key), "B is"),
        (("verify",), "1 fault"),
        (("pack", "tiny", "--row", "*radial*"), "SHA-256"),
    ):
        answer = bench(*words)
        assert TRACEBACK not in answer.out + answer.err
        if words[0] == "pack":
            assert answer.code == 0
        elif words[-1] == "--force":
            assert "7 evaluations to run" in answer.out
        else:
            assert answer.code == 5, words
            reported_sentence(answer, file)
        if words[-1] != "--force":
            assert shown in answer.out, words
    for words in (("show", damaged.key), ("compare", damaged.key, "tiny#1"), ("pack", "tiny")):
        answer = bench(*words)
        assert answer.code == 5
        reported_sentence(answer, file)
    page = (home / "results" / "boards" / "tiny" / "README.md").read_text()
    assert "results/evaluations" in page
    assert str(home) not in page


def test_a_damaged_training_is_not_trained_again(bench, published, store, trials):
    training = trials[0].trainings[0]
    file = store.folder(training) / disk.TRAINING
    file.write_text("{}")
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile")
    assert answer.code == 5
    assert "3 of 4 trainings done" in answer.err
    assert "nothing to run" in answer.err
    reported_sentence(answer, file)
    assert file.read_text() == "{}"
    answer = bench("decode", "tiny", "--decoder", "greedy", "--executor", "inline")
    assert answer.code == 5
    reported_sentence(answer, file)


def test_a_damaged_failure_record_is_reported_as_a_failure(bench, finished, store):
    evaluation = finished[0].evaluations[FIRST]
    folder = store.folder(evaluation)
    (folder / disk.EVALUATION).unlink()
    (folder / disk.FAILURE).write_text('{"schema": 3, "attempts": []}')
    answer = bench("status", "tiny", "--why")
    assert answer.code == 0
    assert "failed" in answer.out
    assert "this is not a failure of bench" in answer.out
    assert bench("show", evaluation.key).code == 5


def tables():
    """Return changes of a table of predictions by their names."""

    def column(name, values, kind=None):
        def change(table):
            place = table.schema.get_field_index(name)
            field = table.schema.field(place)
            held = values(table[name].to_pylist())
            return table.set_column(place, field, pa.array(held, kind or field.type))

        return change

    return {
        "no rows": lambda table: table.slice(0, 0),
        "one row": lambda table: table.slice(0, 1),
        "no texts": column("reference", lambda held: [None] * len(held)),
        "no ids": column("id", lambda held: [None] * len(held)),
        "one id": column("id", lambda held: ["x"] * len(held)),
        "negative counts": column("cer", lambda held: [None if n is None else -1 for n in held]),
        "huge counts": column("cer", lambda held: [None if n is None else 2**60 for n in held]),
        "no counts": column("cer", lambda held: [None] * len(held)),
        "no lengths": column("cer/of", lambda held: [None if n is None else -9 for n in held]),
        "frames beyond": column("aligned", lambda held: [[7] for _ in held]),
        "other columns": lambda table: table.rename_columns(["x", *table.column_names[1:]]),
        "fewer columns": lambda table: table.drop_columns(["cer"]),
    }


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        [*tables(), "zero bytes", "garbage", "half"],
        {"no rows", "no texts", "negative counts", "frames beyond", "garbage"},
    ),
)
def test_altered_predictions_with_a_new_checksum_are_reported(bench, finished, store, name):
    evaluation = finished[0].evaluations[FIRST]
    folder = store.folder(evaluation)
    file = folder / disk.PREDICTIONS
    before = file.read_bytes()
    if name in tables():
        held = predictions.predictions_to_bytes(
            tables()[name](predictions.parse_predictions(before))
        )
    else:
        held = {"zero bytes": b"", "garbage": b"PAR1" * 99, "half": before[: len(before) // 2]}[
            name
        ]
    file.write_bytes(held)
    fields(files={disk.PREDICTIONS: hashlib.sha256(held).hexdigest()})(folder / disk.EVALUATION)
    for words in (("board", "tiny"), ("verify", evaluation.key)):
        answer = bench(*words)
        assert answer.code == 5, words
        assert TRACEBACK not in answer.out + answer.err
        lines = [line for line in answer.err.splitlines() if str(folder) in line]
        assert lines
    answer = bench("show", evaluation.key)
    assert answer.code in {0, 5}
    assert TRACEBACK not in answer.out + answer.err


@pytest.mark.parametrize("name", mostly_slow(["braces", "a list", "a pipe"], {"a pipe"}))
@pytest.mark.parametrize("file", ["board.json", "README.md", "samples.parquet"])
def test_a_damaged_file_of_a_board_is_reported(bench, published, name, file):
    folder = published / "tiny" / "v1"
    target = next(folder.glob("samples-*")) if file == "samples.parquet" else folder / file
    ANY[name](target)
    for words in (("verify",), ("board", "--check")):
        answer = bench(*words)
        assert answer.code == 5, words
        assert TRACEBACK not in answer.out + answer.err
        assert str(target) in answer.err


@pytest.mark.parametrize("folder", ["profiles", "feasibility"])
def test_a_damaged_measurement_is_reported_by_verify_and_measured_again(
    bench, home, published, folder
):
    (home / "results" / folder).mkdir(exist_ok=True)
    file = home / "results" / folder / "0123456789abcdef.json"
    os.mkfifo(file)
    answer = bench("verify")
    assert answer.code == 5
    assert "remove it, and it is made again" in reported_sentence(answer, file)
    assert bench("board", "tiny").code == 0


def test_verify_compares_an_evaluation_with_its_training(bench, finished, store):
    evaluation = finished[0].evaluations[FIRST]
    file = store.folder(evaluation) / disk.EVALUATION
    labels = json.loads(file.read_text())["labels"] | {"loss": "ce", "test": "mnist"}
    fields(labels=labels, seed=1)(file)
    answer = bench("verify")
    assert answer.code == 5
    assert "its seed is 1, but that of its training is 0" in answer.err
    assert "its loss is 'ce', but that of its training is 'ctc'" in answer.err
    assert "the label of its test is 'mnist', but its spec has 'seq-digits'" in answer.err

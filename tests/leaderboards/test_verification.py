"""Verification of records and boards: each fault is reported, and the others are still verified."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from bench.evaluation import protocols
from bench.trials import records
from bench.trials import store as disk

from .conftest import FIRST, SECOND, write_evaluation, write_training


@pytest.fixture
def verify(bench, finished):
    """Return a function that verifies records and returns the exit code and the faults."""

    def run(*words: str) -> tuple[int, list[str]]:
        answer = bench("verify", *words, "--json")
        return answer.code, json.loads(answer.out)["faults"] if answer.out else [answer.err]

    return run


def edit(folder, name, **changes):
    """Replace fields of the record in `folder`."""
    file = folder / name
    disk.write(file, replace(disk.read_record(file), **changes))


def test_all_records_and_boards_verify(bench, finished, published):
    answer = bench("verify")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "4 trainings, 8 evaluations, 2 boards: everything verified\n"


def test_a_fault_does_not_stop_the_verification_of_other_records(verify, store, trials):
    training, evaluation = trials[0].trainings[0], trials[1].evaluations[FIRST]
    edit(store.folder(training), disk.TRAINING, selected_step=10)
    edit(store.folder(evaluation), disk.EVALUATION, scores={"cer": 0.0})
    (store.folder(trials[2].evaluations[SECOND]) / disk.EVALUATION).write_text("{}")
    code, faults = verify()
    assert code == 5
    assert any(
        "its selected step is 10, but its curve gives 20 (select = 'best')" in f for f in faults
    )
    assert any("its cer is 0.0, but the predictions give 0.25" in f for f in faults)
    assert any("its sequence-accuracy is None, but the predictions give 0.5" in f for f in faults)
    assert any("seed1-" in f and "evaluation.json" in f for f in faults)
    assert len(faults) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 39}, "its samples is 39, but the predictions give 40"),
        ({"excluded": {}}, "its excluded is {}, but the predictions give {'empty reference': 1}"),
        ({"dropped": {"é": 1}}, "its dropped is {'é': 1}, but the predictions give {}"),
        ({"key": "0" * 16}, "its key is 0000000000000000, its spec gives"),
        ({"files": {disk.PREDICTIONS: "0" * 64}}, "does not match the checksum in its record"),
    ],
)
def test_an_altered_evaluation_is_reported(verify, store, trials, changes, message):
    evaluation = trials[0].evaluations[FIRST]
    edit(store.folder(evaluation), disk.EVALUATION, **changes)
    code, faults = verify(str(store.folder(evaluation)))
    assert code == 5
    assert any(message in fault for fault in faults)


def test_an_altered_spec_is_reported(verify, store, trials):
    folder = store.folder(trials[0].trainings[0])
    spec = trials[0].trainings[0].spec | {"seed": 7}
    edit(folder, disk.TRAINING, spec=spec)
    code, (fault,) = verify(str(folder))
    assert (code, "its spec gives" in fault) == (5, True)


def test_an_evaluation_without_its_training_is_reported(verify, store, trials):
    shutil.rmtree(store.folder(trials[0].trainings[0]))
    code, faults = verify()
    assert code == 5
    assert len(faults) == 2
    assert all(f"training {trials[0].trainings[0].key} is missing" in fault for fault in faults)


@pytest.mark.parametrize(
    ("curve", "selected", "select", "fault"),
    [
        ([0.5, 0.25, 0.25], 2, "best", ""),
        ([0.5, 0.25, 0.25], 3, "best", "its curve gives 2"),
        ([0.5, 0.25, 0.75], 3, "last", ""),
        ([0.5, 0.25, 0.75], 2, "last", "its curve gives 3 (select = 'last')"),
        ([], 1, "best", "do not rise from one to the next"),
    ],
)
def test_the_selected_step_follows_from_the_curve(
    bench, store, edit_toml, curve, selected, select, fault
):
    from bench.trials import grid

    suite = edit_toml("epochs = 2", f'epochs = 2\nselect = "{select}"').suite("tiny")
    training = grid.trials(suite)[0].trainings[0]
    points = [records.CurvePoint(n, n / 10, 1.0, 0.01, ler) for n, ler in enumerate(curve, 1)]
    write_training(store, training, curve=points, selected_step=selected)
    answer = bench("verify", training.key)
    assert answer.code == (5 if fault else 0)
    assert fault in answer.err


def test_edited_predictions_are_reported(verify, store, trials):
    import hashlib

    from bench.core.documents import write_bytes
    from bench.evaluation import predictions

    evaluation = trials[1].evaluations[FIRST]
    folder = store.folder(evaluation)
    table = predictions.read_predictions(folder / disk.PREDICTIONS)
    texts = table["reference"].to_pylist()
    import pyarrow as pa

    place = table.schema.get_field_index("hypothesis")
    forged = table.set_column(place, table.schema.field(place), pa.array(texts, pa.string()))
    content = predictions.predictions_to_bytes(forged)
    write_bytes(folder / disk.PREDICTIONS, content)
    edit(
        folder,
        disk.EVALUATION,
        files={disk.PREDICTIONS: hashlib.sha256(content).hexdigest()},
    )
    code, faults = verify(evaluation.key)
    assert code == 5
    assert any("cer of sample 's00' is 1, but its texts give 0" in fault for fault in faults)


def test_a_changed_protocol_of_bench_is_reported(verify, monkeypatch):
    moved = replace(protocols.find_protocol("digits"), version=2)
    monkeypatch.setitem(protocols.PROTOCOLS, "digits", moved)
    code, faults = verify()
    assert code == 5
    assert len(faults) == 8
    assert all("the rules of protocol 'digits' have changed" in fault for fault in faults)


def test_a_declared_protocol_is_rebuilt_from_the_record(bench, edit_toml, finish):
    from bench.trials import grid

    edit_toml('protocol = "digits"', 'protocol = "mine"')
    declared = '[protocol.mine]\ncharset = "0123456789"\ncase = "lower"\n\n[suite.tiny]'
    config = edit_toml("[suite.tiny]", declared)
    finish(grid.trials(config.suite("tiny")), 4)
    assert bench("verify").code == 0
    edit_toml('case = "lower"\n', "")
    answer = bench("verify")
    assert answer.code == 0
    assert "protocol 'mine' was changed in or removed from bench.toml" in answer.err


def test_counts_that_differ_from_the_records_are_reported(bench, store, finished, published):
    evaluation = finished[0].evaluations[FIRST]
    write_evaluation(store, evaluation, range(9))
    answer = bench("verify")
    assert answer.code == 5
    assert f"the counts of {evaluation.key} differ from those of its predictions" in answer.err
    assert bench("verify", evaluation.key).code == 0


def test_an_edited_board_is_reported(bench, finished, published, home):
    page = home / "leaderboards" / "tiny" / "v1" / "README.md"
    page.write_text(page.read_text().replace("90.00", "99.00"))
    answer = bench("verify")
    assert answer.code == 5
    assert "README.md" in answer.err


def test_an_empty_folder_has_nothing_to_verify(home, bench):
    assert bench("verify").code == 3


def test_a_failed_task_has_nothing_to_verify(home, bench, store, trials):
    training = trials[0].trainings[0]
    attempt = records.Attempt("error", "it broke", "2025")
    failure = records.Failure(training.key, training.spec, training.labels, 0, [attempt])
    disk.write(store.begin(training) / disk.FAILURE, failure)
    answer = bench("verify", training.key)
    assert (answer.code, "this task failed" in answer.err) == (2, True)

"""What the journal of a sweep writes, without a cluster."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from ray import cloudpickle

from bench.sweeps import journal, tune

PARAMS = {"recipe.learning_rate": 0.01, "recipe.optimizer": "adam", "model.hidden": 4}


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that only the test moves."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(journal.time, "monotonic", lambda: now.seconds)
    return now


def trial(error_file: object = None) -> SimpleNamespace:
    return SimpleNamespace(trial_id="a", config=PARAMS, last_result={}, error_file=error_file)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (None, "its worker did not start"),
        ("", "its worker did not start"),
        ("Traceback\n  setup\nOSError: full\n", "its worker did not start (OSError: full)"),
    ],
)
def test_a_worker_that_does_not_start_fails_its_trial_alone(study, tmp_path, error, message):
    file = tmp_path / "error.txt"
    if error is not None:
        file.write_text(error)
    ended = []
    written = journal.Journal(study, 60.0, ended.append, bool)
    written.on_trial_error(1, [], trial(None if error is None else file))
    (failed,) = study.trials()
    assert ended == [failed]
    assert (failed.state, failed.message, failed.params) == ("failed", message, PARAMS)


def test_the_time_of_a_trial_that_the_budget_ended_is_spent(study, clock):
    study.spend(30.0)
    written = journal.Journal(study, 60.0, [].append, bool)
    written.on_trial_start(1, [], trial())
    clock.seconds += 61.0
    written.on_trial_complete(1, [], trial())
    assert [each.state for each in study.trials()] == ["running"]
    written.spend()
    assert study.seconds == 91.0


def test_tune_may_pickle_a_journal_of_a_live_cluster(study):
    connection = threading.Lock()
    written = journal.Journal(study, 60.0, [].append, connection.locked)
    assert cloudpickle.loads(cloudpickle.dumps(written)).__dict__ == {}


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_a_sweep_counts_its_time_however_it_ends(study, clock, monkeypatch, error):
    def fit() -> None:
        clock.seconds += 12.0
        if error:
            raise error

    names = ("TuneConfig", "RunConfig", "CheckpointConfig", "with_parameters", "with_resources")
    for name in names:
        monkeypatch.setattr(tune.tune, name, lambda *_, **__: None)
    monkeypatch.setattr(tune.tune, "Tuner", lambda *_, **__: SimpleNamespace(fit=fit))
    monkeypatch.setattr(tune, "reservation", lambda _: {"CPU": 1.0})
    monkeypatch.setattr(tune, "with_workers", lambda resources: resources)
    try:
        tune.run(study, [].append, bool)
    except KeyboardInterrupt:
        assert error
    assert study.seconds == 12.0

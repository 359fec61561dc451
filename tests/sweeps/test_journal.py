"""What the journal of a sweep writes, without a cluster."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bench.sweeps import journal, tune

PARAMS = {"training.learning_rate": 0.01, "training.optimizer": "adam", "model.hidden": 4}


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
        (None, "its worker could not begin"),
        ("", "its worker could not begin"),
        ("Traceback\n  setup\nOSError: full\n", "its worker could not begin (OSError: full)"),
    ],
)
def test_a_worker_that_cannot_begin_fails_its_trial_alone(study, tmp_path, error, message):
    file = tmp_path / "error.txt"
    if error is not None:
        file.write_text(error)
    told = []
    kept = journal.Journal(study, 60.0, told.append, bool)
    kept.on_trial_error(1, [], trial(None if error is None else file))
    (tried,) = study.tried()
    assert told == [tried]
    assert (tried.state, tried.message, tried.params) == ("failed", message, PARAMS)


def test_the_time_of_a_trial_that_the_budget_ended_is_spent(study, clock):
    study.spend(30.0)
    kept = journal.Journal(study, 60.0, [].append, bool)
    kept.on_trial_start(1, [], trial())
    clock.seconds += 61.0
    kept.on_trial_complete(1, [], trial())
    assert [one.state for one in study.tried()] == ["running"]
    kept.spend()
    assert study.seconds == 91.0


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
    try:
        tune.run(study, [].append, bool)
    except KeyboardInterrupt:
        assert error
    assert study.seconds == 12.0

from __future__ import annotations

from dataclasses import replace

from bench.execution.run import execute, place


def fail(trial):
    return replace(
        trial, training=replace(trial.training, learning_rate=1e30, optimizer="sgd", epochs=9)
    )


def test_all_trials_run_and_a_failing_one_stops_no_other(trials, store):
    wanted = [fail(trials[0]), trials[1]]
    failures = execute(wanted, store, place("inline"))
    assert [failure.key for failure in failures] == [wanted[0].key]
    assert [bool(store.record(trial)) for trial in wanted] == [False, True]


def test_fail_fast_stops_at_the_first_failure(trials, store):
    wanted = [fail(trials[0]), *trials[1:]]
    assert len(execute(wanted, store, place("inline"), fail_fast=True)) == 1
    assert not any(store.record(trial) for trial in wanted)

"""A task from its specification to its record or failure."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import assert_same_bytes, fail

from bench.core.errors import BenchError
from bench.data.datasets.seq_digits import SeqDigits
from bench.tasks.task import failed_attempt, run_task
from bench.trials.events import Failed, Progress
from bench.trials.store import CHECKPOINT, FAILURE, LOG, Store


def raising(task, error):
    """Return `task` on data that raise `error` when they are opened."""

    class Broken(SeqDigits):
        def open(self, *_, **__):
            raise error

    broken = Broken(digits=2, rounds=1)
    return replace(task, data=(broken,))


@pytest.mark.parametrize(
    ("error", "cause", "message"),
    [
        (RuntimeError("the disk is on fire"), "error", "RuntimeError: the disk is on fire"),
        (BenchError("no data; prepare them"), "configuration", "no data; prepare them"),
        (MemoryError("none left"), "out of memory", "MemoryError: none left"),
        (torch.OutOfMemoryError("none"), "out of memory", "OutOfMemoryError: none"),
        (ValueError("two:\n  lines\n"), "error", "ValueError: two: lines"),
        (AssertionError(), "error", "AssertionError"),
        (SystemExit("bye"), "error", "SystemExit: bye"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_fault_has_a_cause_and_leaves_a_failure_and_a_log(training, store, error, cause, message):
    broken = raising(training, error)
    failure = fail(broken, store)
    assert [(attempt.cause, attempt.message) for attempt in failure.attempts] == [(cause, message)]
    assert failure.key == broken.key
    folder = store.folder(broken)
    assert {file.name for file in folder.iterdir()} == {FAILURE, LOG}
    log = (folder / LOG).read_text()
    assert log.startswith(f"{broken.key}  training: ")
    assert "Traceback" in log
    assert message.rpartition(": ")[2] in log


@pytest.mark.parametrize("fault", [True, False])
def test_earlier_attempts_are_part_of_the_record_or_the_failure(training, store, fault):
    earlier = [failed_attempt("lost node", "it burnt")]
    if fault:
        *_, last = run_task(raising(training, ValueError("no")), store, earlier)
        assert isinstance(last, Failed)
        assert [attempt.cause for attempt in last.failure.attempts] == ["lost node", "error"]
    else:
        assert list(run_task(training, store, earlier))
        assert store.record(training).attempts == earlier


def test_a_task_that_is_closed_has_neither_record_nor_failure(training, store):
    training = training.with_resources(replace(training.resources, checkpoint_every="0 seconds"))
    training = replace(training, recipe=replace(training.recipe, epochs=3))
    events = run_task(training, store)
    assert any(isinstance(event, Progress) and event.epoch == 2 for event in events)
    events.close()
    assert {file.name for file in store.folder(training).iterdir()} == {CHECKPOINT, LOG}


@pytest.mark.slow
def test_whatever_ran_before_in_the_process_changes_no_bit(evaluations, store, tmp_path):
    first, second = evaluations[:2]
    wide = replace(
        second.training,
        recipe=replace(second.training.recipe, precision="bf16", epochs=2),
        resources=replace(second.training.resources, cpus=2, workers=1),
    )
    alone = Store(tmp_path / "alone")
    for task in (first.training, first):
        assert list(run_task(task, alone))
    for task in (wide, replace(second, training=wide), first.training, first):
        assert list(run_task(task, store))
    for task in (first.training, first):
        assert_same_bytes(task, store, alone)
    assert store.record(wide).provenance.threads == 2
    assert store.record(first.training).provenance.threads == 1

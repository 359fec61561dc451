"""Records as a person reads them: scores, curve, cost, origin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli.render import descriptions, record_text
from bench.core.text_table import draw
from bench.evaluation.predictions import WorstSample
from bench.trials.provenance import ComponentSource
from bench.trials.records import Attempt, Failure, TrainingTimings

FOLDER = Path("results/x")


@pytest.fixture
def training(trials, make_training_record):
    return make_training_record(trials[0].trainings[0])


@pytest.fixture
def evaluation(evaluations, make_evaluation_record):
    return make_evaluation_record(evaluations[0], correct=3, samples=8, excluded=7)


def test_an_evaluation_has_its_scores_worst_samples_and_training(training, evaluation):
    worst = [WorstSample("a-b", "12", "9876", 4), WorstSample("c", "漢", "", 1)]
    text = draw(record_text.evaluation(evaluation, training, FOLDER, worst, None, []))
    title, scores, samples, trained, curve, _, origin = text.split("\n\n")
    assert title == (
        "seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · ctc · greedy · seed 0\n"
        f"{evaluation.key}  results/x"
    )
    header, row = scores.splitlines()
    assert header.startswith("accuracy %  CER %")
    assert (row.split()[0], *row.split()[-2:]) == ("37.50", "8", "7")
    assert [line.split() for line in samples.splitlines()] == [
        ["worst", "samples", "reference", "read", "as", "edits"],
        ["a-b", "12", "9876", "4"],
        ["c", "漢", "1"],
    ]
    assert trained == f"training {training.key}"
    assert "* selected weights" in text
    assert curve.startswith("step ")
    assert "12,345 parameters" in origin


def test_a_training_has_its_curve_cost_origin_and_evaluations(training, evaluation):
    text = draw(record_text.training(training, FOLDER, [evaluation]))
    title, curve, _, uses, origin = text.split("\n\n")
    assert title.startswith("seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · ctc")
    assert [line.split() for line in curve.splitlines()][:3] == [
        ["step", "epoch", "loss", "validation", "LER"],
        ["10", "1", "2.5000", "75.00%"],
        ["20", "*", "2", "1.2500", "50.00%"],
    ]
    header, line = uses.splitlines()
    assert header.startswith("evaluation ")
    assert line.startswith(f"{evaluation.key}  seq-digits(digits=2, rounds=1) · greedy")
    assert "accuracy 37.50 %" in uses
    for line in (
        "12,345 parameters; 11.5 s in all: 10.0 training, 1.0 validation",
        "commit 0123456789abcdef0123456789abcdef01234567, bench 0.1.0, Python 3.11.7, torch 2.8.0",
        "Example CPU @ 2.50GHz, 1 of 8 cores, 2025-11-21T08:00:00+00:00",
    ):
        assert line in origin.splitlines()


def test_a_training_without_evaluations_says_so(training):
    assert "No evaluation uses it yet." in draw(record_text.training(training, FOLDER, []))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"dirty": True}, "01234567 with changed files, bench"),
        ({"commit": None}, "commit unknown, bench"),
        ({"gpu": "Some GPU"}, "\nSome GPU, 1 of 8 cores"),
        (
            {"gpu": "Some GPU", "driver": "580", "cuda": "13.2", "cudnn": "9.26.0"},
            "\nSome GPU, driver 580, CUDA 13.2, cuDNN 9.26.0, 1 of 8 cores",
        ),
        ({"precision": "bf16"}, "\nExample CPU @ 2.50GHz, bf16, 1 of 8 cores"),
        (
            {"components": {"mine": ComponentSource("mine.py", "mine-losses", "1.2", None)}},
            "\nmine: mine.py, mine-losses 1.2, commit unknown",
        ),
    ],
)
def test_the_origin_is_as_it_was(training, change, part):
    changed = replace(training, provenance=replace(training.provenance, **change))
    assert part in draw(record_text.training(changed, FOLDER, []))
    assert part not in draw(record_text.training(training, FOLDER, []))


def test_a_training_on_a_gpu_says_what_it_took_of_it(training):
    whole = replace(training.provenance, gpu="Some GPU", gpus=1.0)
    record = replace(training, provenance=whole, timings=TrainingTimings(9.0, 3000.0, 600.0))
    assert "\n1.000 GPU-hours\n" in draw(record_text.training(record, FOLDER, []))
    half = replace(record, provenance=replace(whole, gpus=0.5), peak_memory=2**30)
    assert (
        "\n0.500 GPU-hours; 0.5 GPUs reserved, so other tasks could use it at the same time; "
        "at most 1,024 MiB of tensors on it\n"
    ) in draw(record_text.training(half, FOLDER, []))
    assert "GPU" not in draw(record_text.training(training, FOLDER, []))


def test_a_data_parallel_training_says_on_how_many_devices(training):
    double = replace(training, spec=training.spec | {"devices": 2})
    assert "\ndata-parallel on 2 devices\n" in draw(record_text.training(double, FOLDER, []))
    assert "data-parallel" not in draw(record_text.training(training, FOLDER, []))


def test_a_training_that_moved_to_another_device_says_so(training):
    moved = replace(training, trained_on=["cpu", "Some GPU"])
    assert "\ntrained on cpu, then on Some GPU\n" in draw(record_text.training(moved, FOLDER, []))
    assert "trained on" not in draw(
        record_text.training(replace(training, trained_on=["cpu"]), FOLDER, [])
    )


def test_infeasible_samples_and_dropped_characters_are_mentioned(training, evaluation):
    curve = [replace(epoch, infeasible=1234) for epoch in training.curve]
    text = draw(record_text.training(replace(training, curve=curve), FOLDER, []))
    assert "2,468 samples did not contribute to the loss" in text
    dropped = replace(evaluation, dropped={"ß": 2, "!": 1})
    text = draw(record_text.evaluation(dropped, training, FOLDER, [], None, []))
    assert "Dropped from transcripts by the protocol: 'ß' 2×, '!' 1×." in text


def test_a_failure_has_its_attempts_and_its_log(trials):
    task = trials[1].trainings[0]
    attempts = [Attempt("lost node", "gone", "2025"), Attempt("error", "ValueError: no", "2026")]
    failed = Failure(task.key, task.spec, task.labels, 0, attempts)
    assert record_text.failure(failed, FOLDER) == (
        "seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · radial-ctc · seed 0\n"
        f"{task.key}  results/x\n\n"
        "failed at 2025 (lost node): gone\n"
        "failed at 2026 (error): ValueError: no\n"
        f"The log of the last attempt: {FOLDER / 'log.txt'}"
    )


def test_an_evaluation_has_its_profiles(training, evaluation, evaluations, make_profile):
    measured = [make_profile(evaluations[0], name) for name in ("A", "B")]
    text = draw(record_text.evaluation(evaluation, training, FOLDER, [], None, measured))
    for profile in measured:
        assert draw(descriptions.profiles([profile])) in text

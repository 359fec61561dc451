"""Costs on GPUs are on boards of trainings on GPUs, and on no others."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.leaderboards import board as boards
from bench.leaderboards import rebuild, working
from bench.leaderboards.formats.columns import board_columns
from bench.leaderboards.formats.markdown import board_markdown
from bench.trials.records import Throughput, TrainingTimings

from .conftest import ORIGIN, keep_profiles, make_profile, write_training

TIMINGS = TrainingTimings(data=9.0, training=3000.0, validation=600.0)


@pytest.fixture
def train_on_gpu(store):
    """Return a function that changes the records of trainings as if they had run on a GPU."""

    def train(trials, gpus: float = 1.0, peak_memory: int | None = None) -> None:
        for trial in trials:
            for training in trial.trainings:
                origin = replace(ORIGIN, seed=training.seed, gpu="Example GPU", gpus=gpus)
                write_training(
                    store, training, timings=TIMINGS, provenance=origin, peak_memory=peak_memory
                )

    return train


@pytest.fixture
def draw(config, suite):
    """Return a function that returns the working board as a table and as its page."""

    def draw():
        board, _ = working.compute_working_board(config, suite)
        listed = board_columns(board)
        headings = [column.heading for column in listed]
        cells = zip(*(column.cells for column in listed), strict=True)
        rows = [dict(zip(headings, row, strict=True)) for row in cells]
        return {row["entry"]: row for row in rows}, board_markdown(board)

    return draw


def test_gpu_hours_count_the_reserved_fraction_and_time_on_shared_gpus_is_marked(
    finished, train_on_gpu, draw
):
    train_on_gpu([finished[0], finished[2]], gpus=0.5, peak_memory=2**30)
    train_on_gpu([finished[1], finished[3]])
    rows, page = draw()
    ctc, radial = (rows[f"cnn-bilstm · {loss}"] for loss in ("ctc", "radial-ctc"))
    assert (ctc["training s"], ctc["GPU h"], ctc["training MiB"]) == ("3000.0 †", "0.50", "1,024")
    assert (radial["training s"], radial["GPU h"], radial["training MiB"]) == (
        "3000.0",
        "1.00",
        "–",
    )
    assert page.count("† Less than a whole GPU was reserved") == 1
    assert "Trained on Example GPU, 0.5 of a GPU, 1 thread per training; Example GPU, 1" in page


def test_a_row_trained_on_a_cpu_has_no_gpu_hours(finished, train_on_gpu, draw):
    train_on_gpu(finished[:1])
    rows, page = draw()
    assert rows["cnn-bilstm · radial-ctc"]["GPU h"] == "–"
    assert rows["cnn-bilstm · ctc"]["GPU h"] == "1.00"
    assert "†" not in page


def test_a_board_without_gpus_has_no_columns_of_gpus(config, suite, finished, profile_all, draw):
    profile_all()
    _, page = draw()
    content = boards.board_json(working.compute_working_board(config, suite)[0]).decode()
    for word in ("GPU", "MiB", "samples/s"):
        assert word not in page
    for name in ("gpu_seconds", "shared_gpu", "memory", "samples_per_second", "filling_batch"):
        assert name not in content


def test_throughput_and_memory_are_on_the_board_which_can_be_rebuilt(
    config, suite, finished, store, trials, train_on_gpu, draw
):
    train_on_gpu(finished, gpus=0.5, peak_memory=2**30)
    first = make_profile(next(iter(trials[0].evaluations.values())))
    latencies = [replace(each, peak_memory=each.batch * 2**20) for each in first.latencies]
    full = Throughput(512, 35210.0, valid=True, reason="", tried={"512": 35210.0})
    keep_profiles(store, trials, "Example GPU", latencies=latencies, throughput=full)
    rows, page = draw()
    for row in rows.values():
        assert [row[name] for name in ("samples/s", "MiB b1", "MiB b24")] == ["35,210", "1", "24"]
    assert "that fills it (cnn-bilstm · ctc, cnn-bilstm · radial-ctc: 512). MiB b1" in page
    board = working.write_working_board(config, suite)
    folder = working.working_folder(config, suite.name)
    assert boards.read_board(folder) == board
    rebuild.check_board(folder)
    (seed, *_) = json.loads((folder / boards.BOARD_FILE).read_text())["board"]["rows"][0]["seeds"]
    assert (seed["gpu_seconds"], seed["shared_gpu"]) == (1800.0, True)


def test_an_invalid_throughput_is_a_note(finished, store, trials, draw):
    busy = Throughput(512, 35210.0, valid=False, reason="busy", tried={"512": 35210.0})
    keep_profiles(store, trials, "Example GPU", throughput=busy)
    _, page = draw()
    assert "35,210" not in page
    assert "(samples/s): busy" in page.replace("cnn-bilstm · radial-ctc (samples/s), ", "")

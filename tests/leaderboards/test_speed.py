"""All latencies of a board are of one hardware, and only valid ones are displayed."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from msgspec import UNSET

from bench.leaderboards.speed import THROUGHPUT, Speed, board_speeds
from bench.trials.records import Throughput

from .conftest import FIRST, SECOND, make_profile


@pytest.fixture
def evaluations(trials):
    """Return an evaluation of each row on the first test set."""
    return {row: trials[row].evaluations[FIRST] for row in (0, 1)}


def test_latencies_are_those_up_to_labels(evaluations):
    measured = board_speeds(evaluations, [make_profile(evaluations[0])])
    assert measured.hardware == "Example CPU, 1 of 2 cores"
    assert measured.others == []
    (row,) = measured.speeds
    assert row == 0
    speed = measured.speeds[0]
    assert speed.milliseconds == {"1": 2.0, "24": 4.0}
    assert speed.macs == 7_204_192
    assert speed.valid


def test_without_a_profile_there_is_no_hardware(evaluations):
    assert board_speeds(evaluations, []).hardware is None
    assert board_speeds(evaluations, []).speeds == {}


def test_an_invalid_latency_is_replaced_by_its_reason(evaluations):
    measured = board_speeds(evaluations, [make_profile(evaluations[0], reason="busy")])
    assert measured.speeds[0] == Speed(
        make_profile(evaluations[0]).key,
        7_204_192,
        {"1": None, "24": None},
        {"1": "busy", "24": "busy"},
    )
    assert not measured.speeds[0].valid


def test_a_profile_applies_to_its_test_set_alone(trials):
    on_second = trials[0].evaluations[SECOND]
    profile = make_profile(trials[0].evaluations[FIRST])
    assert board_speeds({0: on_second}, [profile]).speeds == {}


def test_the_latest_profile_of_a_hardware_is_used(evaluations):
    old = make_profile(evaluations[0], finished="2025", macs=1)
    new = make_profile(evaluations[0], finished="2026", macs=2)
    assert board_speeds(evaluations, [new, old]).speeds[0].macs == 2


def test_the_hardware_with_most_valid_rows_is_chosen(evaluations):
    profiles = [
        make_profile(evaluations[0], "A"),
        make_profile(evaluations[0], "B"),
        make_profile(evaluations[1], "B"),
        make_profile(evaluations[1], "C", reason="busy"),
    ]
    measured = board_speeds(evaluations, profiles)
    assert measured.hardware == "B, 1 of 2 cores"
    assert measured.others == ["A, 1 of 2 cores", "C, 1 of 2 cores"]


def test_a_row_profiled_on_other_hardware_has_only_macs(evaluations):
    profiles = [make_profile(evaluations[0], "A"), make_profile(evaluations[1], "B", macs=5)]
    measured = board_speeds(evaluations, profiles)
    assert measured.hardware == "A, 1 of 2 cores"
    assert measured.speeds[1] == Speed(None, 5, {"1": None, "24": None}, {})


def on_gpu(evaluation, *, reason=""):
    """Return a profile of a GPU, with a throughput."""
    profile = make_profile(evaluation, "Example GPU")
    latencies = [replace(each, peak_memory=each.batch * 2**20) for each in profile.latencies]
    full = Throughput(512, 35210.0, valid=not reason, reason=reason, tried={"512": 35210.0})
    return replace(profile, latencies=latencies, throughput=full)


def test_a_gpu_gives_throughput_and_memory(evaluations):
    speed = board_speeds(evaluations, [on_gpu(evaluations[0])]).speeds[0]
    assert (speed.samples_per_second, speed.filling_batch) == (35210.0, 512)
    assert speed.memory == {"1": 2**20, "24": 24 * 2**20}
    assert speed.figures == {"1": 2.0, "24": 4.0, THROUGHPUT: 35210.0}


def test_an_invalid_throughput_has_a_reason(evaluations):
    speed = board_speeds(evaluations, [on_gpu(evaluations[0], reason="busy")]).speeds[0]
    assert speed.samples_per_second is UNSET
    assert speed.reasons == {THROUGHPUT: "busy"}
    assert speed.valid, "its latencies are"


def test_fields_of_gpus_are_left_out_if_nothing_was_measured_on_one(evaluations):
    speed = board_speeds(evaluations, [make_profile(evaluations[0])]).speeds[0]
    assert json.loads(msgspec.json.encode(speed)).keys() == {
        "profile",
        "macs",
        "milliseconds",
        "reasons",
    }

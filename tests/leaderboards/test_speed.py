"""Profiles to speed columns: one hardware, no invalid number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.leaderboards.speed import Speed, speeds

A, B, C = (f"{name}, 1 of 2 cores" for name in "ABC")


@pytest.fixture
def specs(trials):
    return {trial.loss.name: trial.spec for trial in trials[:2]}


def test_without_profiles_there_are_no_speeds(specs):
    found = speeds(specs, [])
    assert (found.hardware, found.others, found.rows) == (None, [], {})


def test_medians_are_shown_and_decoding_is_in_them(specs, trials, make_profile):
    found = speeds(specs, [make_profile(trials[0], "A")])
    assert found.hardware == A
    assert found.rows == {"ctc": Speed(7_204_192, {"1": 2.0, "24": 4.0}, {})}


def test_an_invalid_figure_is_no_number_and_has_its_reason(specs, trials, make_profile):
    profile = make_profile(trials[0])
    figures = [*profile.figures[:3], replace(profile.figures[3], valid=False, reason="busy")]
    found = speeds(specs, [replace(profile, figures=figures)])
    assert found.rows["ctc"] == Speed(7_204_192, {"1": 2.0, "24": None}, {"24": "busy"})


def test_the_hardware_with_most_valid_rows_is_shown_alone(specs, trials, make_profile):
    profiles = [
        make_profile(trials[0], "A"),
        make_profile(trials[1], "A", reason="busy"),
        make_profile(trials[0], "B"),
        make_profile(trials[1], "B"),
        make_profile(trials[0], "C", reason="busy"),
    ]
    for turn in range(5):
        found = speeds(specs, profiles[turn:] + profiles[:turn])
        assert (found.hardware, found.others) == (B, [A, C])
        assert set(found.rows) == {"ctc", "radial-ctc"}


def test_of_equal_hardware_the_first_by_name_is_shown(specs, trials, make_profile):
    profiles = [make_profile(trials[0], "B"), make_profile(trials[1], "A")]
    found = speeds(specs, profiles)
    assert (found.hardware, found.others) == (A, [B])
    # What was profiled elsewhere only still has its MACs.
    assert found.rows["ctc"] == Speed(7_204_192, {"1": None, "24": None}, {})
    assert found.rows["radial-ctc"].milliseconds == {"1": 2.0, "24": 4.0}


def test_the_last_profile_of_one_hardware_counts(specs, trials, make_profile):
    older = make_profile(trials[0], finished="2025-01", key="f" * 16, macs=1)
    newer = make_profile(trials[0], finished="2025-02")
    for profiles in ([older, newer], [newer, older]):
        assert speeds(specs, profiles).rows["ctc"].macs == 7_204_192


def test_profiles_of_other_suites_are_passed_over(specs, trials, make_profile):
    other = replace(trials[0], model=replace(trials[0].model, width=9))
    assert speeds(specs, [make_profile(other)]).rows == {}

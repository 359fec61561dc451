"""What a check reports, and what it leaves behind."""

from __future__ import annotations

import os
from unittest import SkipTest

import pytest
import torch

from bench.core.errors import BenchError
from bench.testing import Check, ContractError
from bench.testing.contract import Kit, informs, requires
from bench.testing.global_state import changes, global_state, reseeded_generators


def raising(error):
    def verify():
        raise error

    return verify


@pytest.mark.parametrize(
    ("verify", "outcome", "explanation"),
    [
        (lambda: None, "passed", ""),
        (lambda: "it waits", "note", "it waits"),
        (raising(ContractError("it is wrong; mend it")), "failed", "it is wrong; mend it"),
        (raising(BenchError("no file")), "failed", "no file"),
        (raising(SkipTest("not here")), "skipped", "not here"),
        (raising(ValueError("bad")), "failed", "it raised ValueError: bad (test_contract.py:"),
    ],
)
def test_outcomes(verify, outcome, explanation):
    result = Check("name", "It works.", verify).run()
    assert result.outcome == outcome
    assert result.explanation.startswith(explanation)


def test_a_check_is_a_test_with_the_name_of_its_requirement():
    check = Check("name", "It works.", raising(ContractError("wrong")))
    assert check.__name__ == "name"
    with pytest.raises(ContractError, match="wrong"):
        check()


class Careless(Kit):
    """A kit whose check changes global state."""

    @requires("It changes nothing.")
    def careful_use(self):
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(0)
        os.environ["CARELESS"] = "1"

    @informs("It is fast.")
    def speed(self):
        return "fast"


def test_global_state_is_restored_after_each_check():
    before, drawn = global_state(), torch.get_rng_state()
    results = Careless().run()
    assert [(each.name, each.outcome) for each in results] == [
        ("careful-use", "passed"),
        ("speed", "note"),
    ]
    assert changes(before, global_state()) == []
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_test_runs_the_checks_that_can_fail():
    assert [check.name for check in Careless().tests()] == ["careful-use"]


def test_changed_settings_are_named(monkeypatch):
    before = global_state()
    monkeypatch.setenv("CARELESS", "1")
    with torch.no_grad():
        names = changes(before, global_state())
    assert names == ["torch's gradient mode", "the environment variable CARELESS"]


def test_a_generator_with_a_fixed_seed_is_named():
    state = torch.get_rng_state()
    assert reseeded_generators(lambda: torch.manual_seed(0)) == ["torch"]
    assert reseeded_generators(lambda: torch.rand(1)) == []
    torch.set_rng_state(state)

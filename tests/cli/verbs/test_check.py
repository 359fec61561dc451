"""`bench check`: what it prints, what it chooses, and what it ends with."""

from __future__ import annotations

import json

import pytest

from bench.core import plugin_files

METRIC = """\
import numpy as np

from bench.evaluation.metrics import Counts, Metric


class Half(Metric):
    \"\"\"A metric whose counts are fractions.\"\"\"

    name = "half"
    title = "half"
    higher_is_better = True

    def defined_for(self, protocol):
        return protocol.unit == "character"

    def counts(self, readings):
        return Counts(np.full(len(readings), 0.5), np.ones(len(readings), np.int64))
"""


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    monkeypatch.delenv(plugin_files.VARIABLE, raising=False)
    yield
    plugin_files.set_plugins([])


def test_a_component_of_bench_meets_its_contract(home, bench):
    answer = bench("check", "cer")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "metric cer"
    assert sum(line.startswith("passed  ") for line in lines) == 9
    assert lines[-1] == "metric cer meets the contract"


def test_a_failure_is_explained_and_ends_with_1(home, bench):
    (home / "half.py").write_text(METRIC)
    answer = bench("check", "half.py")
    assert answer.code == 1
    assert "failed  integer-counts" in answer.out
    assert "integer-counts (failed): numerators are float64 under digits; return" in answer.out
    assert "metric half: " in answer.out.splitlines()[-1]
    answer = bench("check", "half.py", "--json")
    [component] = json.loads(answer.out)
    assert (component["kind"], component["name"]) == ("metric", "half")
    outcomes = {check["name"]: check["outcome"] for check in component["checks"]}
    assert outcomes["integer-counts"] == "failed"
    assert outcomes["protocols"] == "passed"
    assert all(check["requirement"] for check in component["checks"])


def test_parameters_stand_behind_the_name(home, bench):
    (home / "words.txt").write_text("cat\ndog\n")
    answer = bench("check", "lexicon:words=words.txt,edits=0")
    assert (answer.code, answer.err) == (0, "")
    assert "decoder lexicon(" in answer.out


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("cerr", "there is no component 'cerr'; did you mean 'cer'? To add your own"),
        ("lexicon", "the key 'words' is missing; give its parameters: bench check lexicon:words="),
        ("needy.py", "bench check needy:weight=VALUE --plugin needy.py"),
        ("lexicon:words", "check lexicon:words: 'words' must be parameter=value"),
        ("nowhere.py", "plug-in 'nowhere.py' does not exist"),
        ("empty.py", "empty.py declares no component"),
        ("broken.py", "broken.py cannot be imported (ZeroDivisionError"),
        ("nameless.py", "loss Nameless has no name"),
        ("iam", "dataset 'iam' is not prepared"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence_and_ends_with_2(home, bench, target, sentence):
    (home / "empty.py").write_text("")
    (home / "broken.py").write_text("1 / 0\n")
    (home / "nameless.py").write_text(
        "from bench.losses.base import FrameLoss\n\n\n"
        "class Nameless(FrameLoss):\n    def objective(self, head, features, targets):\n"
        "        return features.sequence.mean()\n"
    )
    (home / "needy.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n"
        "from bench.losses.ctc import CTC\n\n\n@dataclass(frozen=True)\nclass Needy(CTC):\n"
        "    name: ClassVar[str] = 'needy'\n    weight: float\n"
    )
    answer = bench("check", target)
    assert answer.code == 2
    assert answer.err.startswith("bench: ")
    assert len(answer.err.splitlines()) == 1
    assert sentence in answer.err


def test_one_kind_of_several_is_chosen(home, bench):
    answer = bench("check", "cer", "--kind", "metric")
    assert answer.code == 0
    answer = bench("check", "cer", "--kind", "loss")
    assert (answer.code, answer.out) == (2, "")
    assert "cer has no loss; leave out --kind" in answer.err

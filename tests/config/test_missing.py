"""A suite may stand in bench.toml before its parts do: one sentence says all that it needs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from bench.config import bench_toml as config
from bench.config import missing as needs
from bench.core import registry
from bench.core.errors import BenchError, Exit
from bench.evaluation.protocols import PROTOCOLS

OWN = Path(__file__).parents[2] / "bench.toml"
SUITES = tomllib.loads(OWN.read_text())["suite"]
MISSION = {"seq-mnist", "scene-text", "handwriting", "sign-language"}


def missing(table: dict) -> list[str]:
    """Return the names in a suite that bench does not have, as its file has them."""
    found = [] if table["protocol"] in PROTOCOLS else [table["protocol"]]
    for key, kind in (("datasets", "dataset"), ("models", "model"), ("losses", "loss")):
        names = [entry if isinstance(entry, str) else entry["name"] for entry in table[key]]
        known = registry.everything(kind)
        found += [name for name in dict.fromkeys(names) if name not in known]
    return found


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Work where bench's own bench.toml is taken, with no need of any data on disk."""
    monkeypatch.chdir(tmp_path)
    for dataset in registry.builtin("dataset").values():
        monkeypatch.setattr(dataset, "fingerprint", lambda _: "none")


def test_the_suites_of_the_mission_are_there():
    assert set(SUITES) >= MISSION | {"quick"}
    assert not missing(SUITES["quick"])


@pytest.mark.parametrize("suite", SUITES)
def test_a_dry_run_says_in_one_sentence_what_a_suite_needs(own, bench, suite):
    answer = bench("run", suite, "--dry-run")
    expected = missing(SUITES[suite])
    if not expected:
        assert answer.code == Exit.DONE, answer.err
        assert "to run." in answer.out
        return
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    (line,) = answer.err.splitlines()
    located = re.fullmatch(rf"bench: \S+bench\.toml:(\d+): \[suite\.{suite}\] (.+)", line)
    assert f'"{expected[0]}"' in OWN.read_text().splitlines()[int(located[1]) - 1]
    named = located[2].partition("; did you mean")[0]
    assert re.findall(r"'(.+?)'", named) == expected


@pytest.mark.parametrize("suite", SUITES)
def test_what_a_suite_needs_is_listed(own, bench, suite):
    expected = missing(SUITES[suite])
    answer = bench("ls", "--json")
    listed = json.loads(answer.out)[suite]
    assert listed["about"] == SUITES[suite]["about"]
    assert [name for names in listed["needs"].values() for name in names] == expected
    assert all(listed["needs"].values())
    lines = [*map(str.strip, answer.err.splitlines()), ""]
    below = next(after for line, after in pairwise(lines) if line.startswith(f"{suite} "))
    assert below.startswith("cannot run yet") == bool(expected)
    if expected:
        assert below == f"cannot run yet: it needs {', '.join(expected)}"


def test_listing_what_is_needed_imports_neither_torch_nor_ray(own):
    program = (
        "import sys; from bench import cli\n"
        "sys.argv = ['bench', 'ls']\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print(sorted({'torch', 'ray', 'pyarrow', 'numpy', 'rich'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "[]", answer.stderr


@pytest.fixture
def said(home):
    """Return a function that replaces passages of the tiny suite and gives the sentence on it."""
    file = home / "bench.toml"

    def say(*changes: tuple[str, str]) -> str:
        text = file.read_text()
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        file.write_text(text)
        with pytest.raises(BenchError) as caught:
            config.load(file).suite("tiny")
        assert caught.value.code == Exit.USAGE
        return str(caught.value).removeprefix(f"{home}/")

    return say


LOSSES = '"ctc", "radial-ctc"'


def test_all_that_is_missing_is_said_at_the_first_of_it(said):
    losses = '"ctc", "mild", { name = "soft", rate = 0.2 }, { name = "soft", rate = 0.4 }, "mild"'
    assert said(("cnn-bilstm", "vitstr"), (LOSSES, losses)) == (
        "bench.toml:6: [suite.tiny] needs what bench does not have yet: "
        "the model 'vitstr', the losses 'mild' and 'soft'; "
        "`bench ls datasets | models | losses` lists what there is, "
        "docs/components.md tells how to add to it"
    )


def test_three_of_a_kind_are_counted_up(said):
    losses = '"mild", "soft", "hard"'
    assert "yet: the losses 'mild', 'soft' and 'hard'; " in said((LOSSES, losses))


def test_a_single_name_near_a_known_one_may_be_a_slip(said):
    assert said((LOSSES, '"ctc", "radial"')) == (
        "bench.toml:7: [suite.tiny] there is no loss 'radial'; did you mean 'radial-ctc'?"
    )


@pytest.mark.parametrize("name", ["zzzz", "lenin-bi"])
def test_a_single_name_far_from_all_is_needed(said, name):
    sentence = said(("cnn-bilstm", name))
    assert sentence.startswith("bench.toml:6: [suite.tiny] needs what bench does not have yet: ")
    assert f"the model '{name}'; " in sentence


def test_a_single_protocol_shows_those_there_are(said, monkeypatch):
    monkeypatch.setattr(needs, "PROTOCOLS", {"digits": PROTOCOLS["digits"]})
    assert said(('"digits"', '"zzzz"')) == (
        "bench.toml:3: [suite.tiny] there is no protocol 'zzzz'; there is digits"
    )


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("epochs = 1", "epoch = 1", "did you mean 'epochs'?"),
        ("digits = 2", "digits = 0", "digits = 0"),
        ("[0, 1]", "[]", "'seeds'"),
        (LOSSES, '"ctc", "ctc", "ace"', "twice"),
        (LOSSES, '"ace", { name = [] }', "a table with a 'name'"),
        (LOSSES, "", "the list 'losses' is empty"),
    ],
)
def test_what_is_wrong_is_said_before_what_is_missing(said, old, new, part):
    sentence = said(("cnn-bilstm", "vitstr"), (old, new))
    assert part in sentence
    assert "does not have" not in sentence

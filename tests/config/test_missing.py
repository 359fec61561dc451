"""A suite may be written before its parts: one sentence names all that it needs."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from bench.config import bench_toml, missing
from bench.core.errors import BenchError, Exit
from bench.evaluation.protocols import PROTOCOLS


@pytest.fixture
def sentence(home):
    """Return a function that replaces passages of the tiny suite and gives the sentence on it."""
    file = home / "bench.toml"

    def on(*changes: tuple[str, str]) -> str:
        text = file.read_text()
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        file.write_text(text)
        with pytest.raises(BenchError) as caught:
            bench_toml.load(file).suite("tiny")
        assert caught.value.code == Exit.USAGE
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value).removeprefix(f"{home}/")

    return on


LOSSES = '"ctc", "radial-ctc"'


def test_all_that_is_missing_is_named_at_the_first_of_it(sentence):
    losses = '"ctc", "mild", { name = "soft", rate = 0.2 }, { name = "soft", rate = 0.4 }, "mild"'
    assert sentence(("cnn-bilstm", "vitstr"), (LOSSES, losses)) == (
        "bench.toml:6: [suite.tiny] needs what bench does not have yet: "
        "the model 'vitstr', the losses 'mild' and 'soft'; "
        "`bench ls datasets | models | losses | decoders | recognizers` lists what exists; "
        "to add your own, list its file in `plugins` of bench.toml, or pass --plugin FILE"
    )


def test_three_of_a_kind_are_counted_up(sentence):
    losses = '"mild", "soft", "hard"'
    assert "yet: the losses 'mild', 'soft' and 'hard'; " in sentence((LOSSES, losses))


def test_a_single_name_near_a_known_one_may_be_a_typo(sentence):
    assert sentence((LOSSES, '"ctc", "radial"')) == (
        "bench.toml:7: [suite.tiny] there is no loss 'radial'; did you mean 'radial-ctc'? "
        "To add your own, list its file in `plugins` of bench.toml, or pass --plugin FILE"
    )


@pytest.mark.parametrize("name", ["zzzz", "lenin-bi"])
def test_a_single_name_far_from_all_is_needed(sentence, name):
    text = sentence(("cnn-bilstm", name))
    assert text.startswith("bench.toml:6: [suite.tiny] needs what bench does not have yet: ")
    assert f"the model '{name}'; " in text


def test_a_single_protocol_lists_what_exists(sentence, monkeypatch):
    monkeypatch.setattr(missing, "PROTOCOLS", {"digits": PROTOCOLS["digits"]})
    assert sentence(('"digits"', '"zzzz"')) == (
        "bench.toml:3: [suite.tiny] there is no protocol 'zzzz'; there is digits"
    )


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [("models", "modles", "did you mean 'models'?"), ("[0, 1]", "3", "seeds = 3")],
)
def test_a_wrong_key_of_a_suite_is_reported_before_what_is_missing(sentence, old, new, part):
    text = sentence(('"ctc"', '"mild"'), (old, new))
    assert part in text
    assert "does not have" not in text


def test_test_sets_training_data_decoders_and_protocols_are_looked_up_too(sentence):
    datasets = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
    both = 'train = ["first"]\ntests = ["second", "seq-digits"]\ndecoders = ["third", "greedy"]'
    assert sentence((datasets, both), ('"digits"', '"fourth"')).startswith(
        "bench.toml:3: [suite.tiny] needs what bench does not have yet: the protocol 'fourth', "
        "the dataset 'first', the dataset 'second', the decoder 'third'; "
    )


def test_what_a_suite_needs_is_listed(home, bench):
    file = home / "bench.toml"
    text = file.read_text()
    second = text.replace("suite.tiny", "suite.later").replace('"ctc"', '"mild", "soft"')
    file.write_text(f"{text}\n{second}")
    answer = bench("ls", "--json")
    listed = json.loads(answer.out)
    assert (listed["tiny"]["state"], listed["tiny"]["missing"]) == ("ready", {})
    assert listed["later"]["state"] == "cannot run"
    assert listed["later"]["missing"] == {"losses": ["mild", "soft"]}
    lines = [*map(str.strip, answer.err.splitlines()), ""]
    below = {line.split()[0]: after for line, after in pairwise(lines) if line}
    assert below["later"] == "cannot run yet: it needs mild, soft"
    assert not below["tiny"].startswith("cannot run")


def test_a_dry_run_of_a_suite_that_needs_something_ends_with_its_sentence(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('"ctc"', '"mild", "soft"'))
    answer = bench("run", "tiny", "--dry-run")
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    (line,) = answer.err.splitlines()
    assert line.startswith(f"bench: {file}:7: [suite.tiny] needs what bench does not have yet: ")

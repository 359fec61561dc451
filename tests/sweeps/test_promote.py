"""The winner written into bench.toml: one entry more, and not a byte of the rest less."""

from __future__ import annotations

import re
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import bench_toml as config
from bench.config.bench_toml import Config
from bench.core.errors import BenchError, Exit
from bench.sweeps import report
from bench.sweeps.promote import promoted
from bench.sweeps.study import Study
from bench.sweeps.sweep import Sweep, of
from bench.trials import grid

HEAD = """\
[suite.tiny]
protocol = "digits"  # those of one hand
seeds = [0, 1]
datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]
models = [
  { name = "cnn-bilstm", width = 2, hidden = 4 },
  # not yet: "lenetpp"
]
losses = ["ctc"]
"""
TRAINING = """\
[suite.tiny.training]
epochs = 1
batch_size = 64
learning_rate = 0.01
"""
SWEPT = """\
[suite.tiny.sweep]
trials = 6
space = { training.learning_rate = { uniform = [0.001, 0.1] }, model.hidden = { randint = [4, 9] } }
"""
TUNED = """\
[[suite.tiny.tuned]]  # by hand
dataset = { name = "seq-digits", digits = 2, rounds = 1 }
model = "cnn-bilstm"
loss = "ctc"
training = { epochs = 2 }
tuning = { sweep = "abc", sampler = "tpe", trials = 1, epochs = 2 }
"""
PARAMS = {"training.learning_rate": 0.02, "model.hidden": 7}
ENTRY = """
[[suite.tiny.tuned]]
dataset = { name = "seq-digits", digits = 2, rounds = 1 }
model = { name = "cnn-bilstm", width = 2, hidden = 7 }
loss = "ctc"
training = { learning_rate = 0.02 }
tuning = { sweep = "SWEEP", sampler = "tpe", trials = 1, epochs = 1 }
"""
between = st.lists(
    st.sampled_from(["", "# a remark", "  # another [suite.none]", "#", "# η\u2028of two lines"]),
    max_size=3,
)


def other(name: str) -> str:
    return (HEAD + TRAINING).replace("suite.tiny", f"suite.{name}")


def found(folder: Path, text: str) -> tuple[Config, Sweep]:
    """Write bench.toml, and read it and its sweep."""
    file = folder / "bench.toml"
    file.write_bytes(text.encode())
    loaded = config.load(file)
    return loaded, of(loaded.suite("tiny"))


def winner(folder: Path, sweep: Sweep, params: dict | None = None) -> report.Report:
    """Return the report of a study whose newest trial is the best."""
    study = Study(sweep, folder / "results")
    study.prepare()
    begun = study.begin(params or PARAMS)
    study.keep(replace(begun, state="done", scores=[1 / begun.number]))
    return report.of(study)


def promote(folder: Path, text: str, params: dict | None = None) -> str | None:
    loaded, sweep = found(folder, text)
    return promoted(loaded, sweep, winner(folder, sweep, params))


def refused(folder: Path, text: str, params: dict | None = None) -> BenchError:
    with pytest.raises(BenchError) as caught:
        promote(folder, text, params)
    assert len(str(caught.value).splitlines()) == 1
    assert (folder / "bench.toml").read_bytes() == text.encode()
    return caught.value


def test_the_entry_says_what_won_and_how_it_was_found(home):
    text = promote(home, HEAD + TRAINING + SWEPT)
    key = of(config.load(home / "bench.toml").suite("tiny")).key
    assert text == HEAD + TRAINING + SWEPT + ENTRY.replace("SWEEP", key)


def test_the_promoted_suite_has_the_winner_with_all_its_seeds(home):
    text = promote(home, HEAD + TRAINING + SWEPT)
    loaded, sweep = found(home, text)
    trials = grid.trials(loaded.suite("tiny"))
    tuned = [trial for trial in trials if trial.tuning]
    assert [trial.seed for trial in trials if not trial.tuning] == [0, 1]
    assert [trial.seed for trial in tuned] == [0, 1]
    for trial in tuned:
        assert replace(trial, tuning=None) == replace(sweep.trial(PARAMS), seed=trial.seed)
        assert trial.tuning.sweep == sweep.key


def test_what_is_promoted_is_promoted_once(home):
    text = promote(home, HEAD + TRAINING + SWEPT)
    assert promote(home, text) is None
    second = promote(home, text, {"training.learning_rate": 0.01, "model.hidden": 8})
    loaded, _ = found(home, second)
    assert [entry.model.hidden for entry in loaded.suite("tiny").tuned] == [7, 8]
    assert loaded.suite("tiny").tuned[1].training == loaded.suite("tiny").training


def test_a_winner_that_is_of_the_grid_is_there_already(home):
    usual = {"training.learning_rate": 0.01, "model.hidden": 4}
    assert promote(home, HEAD + TRAINING + SWEPT, usual) is None


@settings(deadline=None, max_examples=40)
@given(data=st.data(), ending=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_the_file_gains_one_entry_and_loses_no_byte(data, ending, last):
    tables = data.draw(st.permutations([HEAD, TRAINING, SWEPT, other("one"), other("tiny-two")]))
    if data.draw(st.booleans()):
        tables.insert(1 + tables.index(HEAD), TUNED)
    lines = []
    for table in tables:
        lines += [*data.draw(between), *table.splitlines()]
    text = ending.join([*lines, *data.draw(between)]) + (ending if last else "")
    with tempfile.TemporaryDirectory() as name:
        after = promote(Path(name), text)
        loaded, sweep = found(Path(name), after)
    assert len(loaded.suite("tiny").tuned) == 1 + (TUNED in tables)
    entry = ENTRY.replace("SWEEP", sweep.key).replace("\n", ending)
    before, middle, behind = after.partition(entry)
    assert middle == entry
    assert before + behind in {text, text + ending}
    # Right behind the last table of the suite, so that remarks stay with what they are about.
    own = [place for place, table in enumerate(tables) if table in {HEAD, TRAINING, SWEPT, TUNED}]
    said = [line for line in before.split(ending) if line]
    assert said[-1] == tables[own[-1]].splitlines()[-1]
    expected = tomllib.loads(text)
    new = tomllib.loads(entry)["suite"]["tiny"]["tuned"]
    tuned = expected["suite"]["tiny"].setdefault("tuned", [])
    tuned += new
    assert tomllib.loads(after) == expected


floats = st.floats(min_value=1e-12, max_value=1e12)


@settings(deadline=None, max_examples=40)
@given(rate=floats, decay=floats, hidden=st.integers(1, 999))
def test_any_value_is_written_as_it_is(rate, decay, hidden):
    params = {"training.learning_rate": rate, "training.weight_decay": decay}
    params["model.hidden"] = hidden
    with tempfile.TemporaryDirectory() as name:
        after = promote(Path(name), HEAD + TRAINING + SWEPT, params)
        loaded, sweep = found(Path(name), after)
    (entry,) = loaded.suite("tiny").tuned
    wanted = sweep.trial(params)
    assert (entry.dataset, entry.model, entry.loss) == (wanted.dataset, wanted.model, wanted.loss)
    assert entry.training == wanted.training


def test_a_recipe_with_a_list_is_written_whole(home):
    text = TRAINING + 'schedule = "multi-step"\nmilestones = [2, 4]\ndecay = 0.5\n'
    after = promote(home, HEAD + text + SWEPT, {**PARAMS, "training.decay": 0.25})
    loaded, _ = found(home, after)
    (entry,) = loaded.suite("tiny").tuned
    assert (entry.training.milestones, entry.training.decay) == ((2, 4), 0.25)


@pytest.mark.parametrize(
    "text",
    [
        # As one inline table.
        (
            "suite.tiny = { protocol = 'digits', datasets = [{ name = 'seq-digits', digits = 2, "
            "rounds = 1 }], models = ['cnn-bilstm'], losses = ['ctc'], training = { epochs = 1, "
            "batch_size = 64, learning_rate = 0.01 }, sweep = { trials = 6, space = { model = "
            "{ hidden = { randint = [4, 9] } } } } }\n"
        ),
        # With its tuned entries as a list.
        HEAD + "tuned = [\n{ dataset = { name = 'seq-digits', digits = 2, rounds = 1 }, "
        "model = 'cnn-bilstm', loss = 'ctc', tuning = { sweep = 'a', sampler = 'tpe', trials = 1, "
        "epochs = 1 } },\n]\n" + TRAINING + SWEPT,
        # With what looks like the header of another table, but is none.
        TRAINING + SWEPT + HEAD + 'about = """\n[suite.other]\n"""\n',
    ],
    ids=["inline", "list", "words"],
)
def test_a_file_that_it_cannot_be_put_into_is_told_what_to_add(home, text):
    error = refused(home, text)
    said = str(error)
    assert error.code == Exit.USAGE
    assert said.startswith(f"{home / 'bench.toml'}: the winner fits in nowhere as this file is")
    assert "write suite 'tiny' as tables, or add it yourself: [[suite.tiny.tuned]]; " in said
    assert re.search("tuning = .*sampler", said)


def test_benchs_own_file_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = config.load()
    before = loaded.path.read_bytes()
    sweep = of(loaded.suite("quick"))
    params = {"training.learning_rate": 2e-3, "training.weight_decay": 0.01, "model.hidden": 64}
    with pytest.raises(BenchError) as caught:
        promoted(loaded, sweep, winner(tmp_path, sweep, params))
    assert str(caught.value) == (
        f"{loaded.path} is bench's own and stays as it is; copy it to {tmp_path} and promote again"
    )
    assert loaded.path.read_bytes() == before


@pytest.mark.parametrize("state", ["stopped", "failed", "running", None])
def test_without_a_trial_trained_to_its_end_there_is_nothing_to_promote(home, state):
    loaded, sweep = found(home, HEAD + TRAINING + SWEPT)
    study = Study(sweep, home / "results")
    study.prepare()
    if state:
        study.keep(replace(study.begin(PARAMS), state=state, scores=[0.5]))
    with pytest.raises(BenchError, match="trained no trial to its end") as caught:
        promoted(loaded, sweep, report.of(study))
    assert caught.value.code == Exit.NOTHING
    assert sweep.key in str(caught.value)

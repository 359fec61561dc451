"""The best trial as an entry of bench.toml, whose other bytes stay."""

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
from bench.config.suite import TrainedEntry
from bench.core.errors import BenchError, Exit
from bench.sweeps import report
from bench.sweeps.promote import promoted_file, promoted_text, require_promotable
from bench.sweeps.study import Study, StudyTrial
from bench.sweeps.sweep import Sweep, sweep_of
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
RECIPE = """\
[suite.tiny.recipe]
epochs = 1
batch_size = 64
learning_rate = 0.01
"""
SWEPT = """\
[suite.tiny.sweep]
trials = 6
space = { recipe.learning_rate = { uniform = [0.001, 0.1] }, model.hidden = { randint = [4, 9] } }
"""
TUNED = """\
[[suite.tiny.tuned]]  # by hand
model = "cnn-bilstm"
loss = "ctc"
recipe = { epochs = 2 }
tuning = { sweep = "abc", sampler = "tpe", trials = 1, validations = 2 }
"""
PARAMS = {"recipe.learning_rate": 0.02, "model.hidden": 7}
ENTRY = """
[[suite.tiny.tuned]]
model = { name = "cnn-bilstm", width = 2, hidden = 7 }
loss = "ctc"
recipe = { learning_rate = 0.02 }
tuning = { sweep = "SWEEP", sampler = "tpe", trials = 1, validations = 1 }
"""
between = st.lists(
    st.sampled_from(["", "# a remark", "  # another [suite.none]", "#", "# η\u2028of two lines"]),
    max_size=3,
)


def other(name: str) -> str:
    return (HEAD + RECIPE).replace("suite.tiny", f"suite.{name}")


def written(folder: Path, text: str) -> tuple[Config, Sweep]:
    """Write bench.toml, and read it and its sweep."""
    file = folder / "bench.toml"
    file.write_bytes(text.encode())
    loaded = config.load(file)
    return loaded, sweep_of(loaded.suite("tiny"))


def winner(folder: Path, sweep: Sweep, params: dict | None = None) -> report.Report:
    """Return the report of a study with one trial, of any parameters."""
    params = params or PARAMS
    best = StudyTrial(1, sweep.training(params).key, params, "done", [0.5])
    empty = report.report_of(Study(sweep, folder / "results"))
    return replace(empty, validations=1, best=best.key, trials=[best])


def tuned_entries(loaded: Config) -> list[TrainedEntry]:
    return [entry for entry in loaded.suite("tiny").entries if entry.tuning]


def promote(folder: Path, text: str, params: dict | None = None) -> str | None:
    loaded, sweep = written(folder, text)
    return promoted_text(loaded, sweep, winner(folder, sweep, params))


def refused(folder: Path, text: str, params: dict | None = None) -> BenchError:
    with pytest.raises(BenchError) as caught:
        promote(folder, text, params)
    assert len(str(caught.value).splitlines()) == 1
    assert (folder / "bench.toml").read_bytes() == text.encode()
    return caught.value


def test_the_entry_says_what_won_and_how_it_was_found(home):
    text = promote(home, HEAD + RECIPE + SWEPT)
    key = sweep_of(config.load(home / "bench.toml").suite("tiny")).key
    assert text == HEAD + RECIPE + SWEPT + ENTRY.replace("SWEEP", key)


def test_the_promoted_suite_has_the_winner_with_all_its_seeds(home):
    text = promote(home, HEAD + RECIPE + SWEPT)
    loaded, sweep = written(home, text)
    trials = grid.trials(loaded.suite("tiny"))
    tuned = [trial for trial in trials if trial.entry.tuning]
    assert [trial.seed for trial in trials if not trial.entry.tuning] == [0, 1]
    assert [trial.seed for trial in tuned] == [0, 1]
    for trial in tuned:
        assert trial.trainings == [replace(sweep.training(PARAMS), seed=trial.seed)]
        assert trial.entry.tuning.sweep == sweep.key


def test_what_is_promoted_is_promoted_once(home):
    text = promote(home, HEAD + RECIPE + SWEPT)
    assert promote(home, text) is None
    second = promote(home, text, {"recipe.learning_rate": 0.01, "model.hidden": 8})
    loaded, _ = written(home, second)
    entries = tuned_entries(loaded)
    assert [entry.model.hidden for entry in entries] == [7, 8]
    assert entries[1].recipe == loaded.suite("tiny").recipe


def test_a_decoder_that_is_not_greedy_is_written_with_its_files_from_the_folder(home):
    (home / "words.txt").write_text("12\n34\n")
    head = HEAD.replace("losses", 'decoders = [{ name = "lexicon", words = "words.txt" }]\nlosses')
    text = promote(home, head + RECIPE + SWEPT)
    assert '\ndecoder = { name = "lexicon", words = "words.txt" }\n' in text
    loaded, _ = written(home, text)
    assert [entry.decoder.name for entry in loaded.suite("tiny").entries] == ["lexicon", "lexicon"]
    assert promote(home, text) is None


def test_an_input_and_training_data_of_their_own_are_written_with_the_model(home):
    head = HEAD.replace(
        "hidden = 4 }",
        'hidden = 4, label = "Small", train = ["seq-digits"], input = { size = 8 } }',
    )
    params = {**PARAMS, "input.crop": 8}
    text = promote(home, head + RECIPE + SWEPT, params)
    loaded, sweep = written(home, text)
    (entry,) = tuned_entries(loaded)
    assert entry.train == sweep.base.data
    assert (entry.input, entry.label) == (sweep.training(params).input, "")
    assert (entry.input.size, entry.input.crop) == (8, 8)
    assert promote(home, text, params) is None


def test_a_model_with_a_recipe_of_its_own_keeps_it(home):
    head = HEAD.replace("hidden = 4 }", "hidden = 4, recipe = { optimizer = 'sgd', epochs = 3 } }")
    loaded, sweep = written(home, promote(home, head + RECIPE + SWEPT))
    (entry,) = tuned_entries(loaded)
    assert entry.recipe == sweep.training(PARAMS).recipe
    assert (entry.recipe.optimizer, entry.recipe.epochs) == ("sgd", 3)


def test_a_suite_whose_models_name_their_recipes_gets_the_whole_recipe(home):
    head = HEAD.replace("hidden = 4 }", 'hidden = 4, recipe = "own" }')
    recipe = RECIPE.replace("suite.tiny.recipe", "recipe.own")
    text = promote(home, head + recipe + SWEPT)
    assert "\nrecipe = { epochs = 1, batch_size = 64, learning_rate = 0.02 }\n" in text
    loaded, sweep = written(home, text)
    (entry,) = tuned_entries(loaded)
    assert entry.recipe == sweep.training(PARAMS).recipe


def test_a_winner_that_the_grid_has_is_not_promoted(home):
    usual = {"recipe.learning_rate": 0.01, "model.hidden": 4}
    assert promote(home, HEAD + RECIPE + SWEPT, usual) is None


@settings(max_examples=40)
@given(data=st.data(), ending=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_the_file_gains_one_entry_and_loses_no_byte(data, ending, last):
    tables = data.draw(st.permutations([HEAD, RECIPE, SWEPT, other("one"), other("tiny-two")]))
    if data.draw(st.booleans()):
        tables.insert(1 + tables.index(HEAD), TUNED)
    lines = []
    for table in tables:
        lines += [*data.draw(between), *table.splitlines()]
    text = ending.join([*lines, *data.draw(between)]) + (ending if last else "")
    with tempfile.TemporaryDirectory() as name:
        after = promote(Path(name), text)
        loaded, sweep = written(Path(name), after)
    assert len(tuned_entries(loaded)) == 1 + (TUNED in tables)
    entry = ENTRY.replace("SWEEP", sweep.key).replace("\n", ending)
    before, middle, behind = after.partition(entry)
    assert middle == entry
    assert before + behind in {text, text + ending}
    # Right behind the last table of the suite, so that remarks stay with what they are about.
    own = [place for place, table in enumerate(tables) if table in {HEAD, RECIPE, SWEPT, TUNED}]
    lines = [line for line in before.split(ending) if line]
    assert lines[-1] == tables[own[-1]].splitlines()[-1]
    expected = tomllib.loads(text)
    new = tomllib.loads(entry)["suite"]["tiny"]["tuned"]
    tuned = expected["suite"]["tiny"].setdefault("tuned", [])
    tuned += new
    assert tomllib.loads(after) == expected


floats = st.floats(min_value=1e-12, max_value=1e12)


@settings(max_examples=40)
@given(rate=floats, decay=floats, hidden=st.integers(1, 999))
def test_any_value_is_written_as_it_is(rate, decay, hidden):
    params = {"recipe.learning_rate": rate, "recipe.weight_decay": decay}
    params["model.hidden"] = hidden
    with tempfile.TemporaryDirectory() as name:
        after = promote(Path(name), HEAD + RECIPE + SWEPT, params)
        loaded, sweep = written(Path(name), after)
    (entry,) = tuned_entries(loaded)
    wanted = sweep.training(params)
    assert (entry.model, entry.loss) == (wanted.model, wanted.loss)
    assert entry.recipe == wanted.recipe


def test_a_recipe_with_a_list_is_written_whole(home):
    text = RECIPE + 'schedule = "multi-step"\nmilestones = [2, 4]\ndecay = 0.5\n'
    after = promote(home, HEAD + text + SWEPT, {**PARAMS, "recipe.decay": 0.25})
    loaded, _ = written(home, after)
    (entry,) = tuned_entries(loaded)
    assert (entry.recipe.milestones, entry.recipe.decay) == ((2, 4), 0.25)


@pytest.mark.parametrize(
    "text",
    [
        # As one inline table.
        (
            "suite.tiny = { protocol = 'digits', datasets = [{ name = 'seq-digits', digits = 2, "
            "rounds = 1 }], models = ['cnn-bilstm'], losses = ['ctc'], recipe = { epochs = 1, "
            "batch_size = 64, learning_rate = 0.01 }, sweep = { trials = 6, space = { model = "
            "{ hidden = { randint = [4, 9] } } } } }\n"
        ),
        # With its tuned entries as a list.
        HEAD + "tuned = [\n{ model = 'cnn-bilstm', loss = 'ctc', tuning = { sweep = 'a', "
        "sampler = 'tpe', trials = 1, validations = 1 } },\n]\n" + RECIPE + SWEPT,
        # With what looks like the header of another table, but is none.
        RECIPE + SWEPT + HEAD + 'about = """\n[suite.other]\n"""\n',
    ],
    ids=["inline", "list", "words"],
)
def test_a_file_without_a_place_for_it_gets_the_lines_to_add(home, text):
    with pytest.raises(BenchError, match="--promote cannot insert an entry"):
        require_promotable(*written(home, text))
    error = refused(home, text)
    said = str(error)
    assert error.code == Exit.USAGE
    assert said.startswith(
        f"{home / 'bench.toml'}: --promote cannot insert the entry into this file"
    )
    assert "write suite 'tiny' as tables, or add it yourself: [[suite.tiny.tuned]]; " in said
    assert re.search("tuning = .*sampler", said)


def test_the_own_file_of_bench_is_copied_into_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = config.load()
    before = loaded.path.read_bytes()
    sweep = sweep_of(loaded.suite("quick"))
    require_promotable(loaded, sweep)
    params = {"recipe.learning_rate": 2e-3, "recipe.weight_decay": 0.01, "model.hidden": 64}
    text = promoted_text(loaded, sweep, winner(tmp_path, sweep, params))
    assert promoted_file(loaded) == tmp_path / "bench.toml"
    (tmp_path / "bench.toml").write_text(text)
    (entry,) = [each for each in config.load().suite("quick").entries if each.tuning]
    assert entry.model.hidden == 64
    assert loaded.path.read_bytes() == before


@pytest.mark.parametrize("state", ["stopped", "failed", "running", None])
def test_without_a_trial_trained_to_its_end_there_is_nothing_to_promote(home, state):
    loaded, sweep = written(home, HEAD + RECIPE + SWEPT)
    study = Study(sweep, home / "results")
    study.prepare()
    if state:
        study.keep(replace(study.begin(PARAMS), state=state, scores=[0.5]))
    with pytest.raises(BenchError, match="trained no trial to its end") as caught:
        promoted_text(loaded, sweep, report.report_of(study))
    assert caught.value.code == Exit.NOTHING
    assert sweep.key in str(caught.value)

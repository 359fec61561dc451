"""A sweep from bench.toml: its domains, the one combination it is of, and its key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config.sweep_space import Domain, SweepTable
from bench.core.errors import BenchError, Exit
from bench.core.schema import SchemaError, fill
from bench.evaluation import protocols
from bench.sweeps.sweep import changed, of

RATE = "training.learning_rate = { loguniform = [1e-3, 1e-1] }"
MODELS = 'models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]'
numbers = st.integers(-1000, 1000) | st.floats(-1e3, 1e3)
pairs = st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted)
whole_pairs = st.lists(st.integers(-99, 99), min_size=2, max_size=2, unique=True).map(sorted)
words = st.text(max_size=4)
choices = (
    st.lists(words, min_size=2, unique=True)
    | st.lists(numbers, min_size=2, unique=True)
    | st.just([True, False])
    | st.just(["x", 1, True, 2.5]).filter(lambda values: len(set(values)) == len(values))
)


def domains(space: dict) -> dict[str, Domain]:
    return SweepTable(space=space, trials=1).domains


def domain(kind: str, values: object) -> Domain:
    (found,) = domains({"training": {"x": {kind: values}}}).values()
    return found


def refused(*words: object, **globs: str) -> str:
    """Return the sentence with which a call of `words` is refused."""
    call, *values = words
    with pytest.raises(BenchError) as caught:
        call(*values, **globs)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@settings(deadline=None)
@given(pairs)
def test_an_interval_has_the_ends_it_was_given(pair):
    found = domain("uniform", pair)
    assert found == Domain("uniform", tuple(map(float, pair)))
    assert found.extremes == found.values
    assert {type(value) for value in found.values} == {float}
    if pair[0] > 0:
        assert domain("loguniform", pair).extremes == tuple(pair)
    else:
        with pytest.raises(SchemaError, match="loguniform wants numbers above 0"):
            domain("loguniform", pair)


@settings(deadline=None)
@given(whole_pairs)
def test_the_upper_end_of_randint_may_not_be_drawn(pair):
    first, beyond = pair
    assert domain("randint", pair).extremes == (first, beyond - 1)


@settings(deadline=None)
@given(choices)
def test_a_choice_holds_each_of_its_values_as_it_is(values):
    assert domain("choice", values).extremes == tuple(values)


@settings(deadline=None)
@given(st.sampled_from(["uniform", "loguniform", "randint"]), pairs | whole_pairs)
def test_the_lower_number_stands_first(kind, pair):
    for wrong in (pair[::-1], [pair[0]] * 2, pair[:1], [*pair, pair[1] + 1]):
        with pytest.raises(SchemaError, match=f"{kind} wants two numbers, the lower one first"):
            domain(kind, wrong)


@settings(deadline=None)
@given(choices, st.data())
def test_a_choice_of_a_value_twice_is_refused(values, data):
    twice = [*values, data.draw(st.sampled_from(values))]
    with pytest.raises(SchemaError, match="choice wants two values or more, each just once"):
        domain("choice", twice)


@pytest.mark.parametrize(
    ("space", "key", "said"),
    [
        ({}, "space", "the space is empty; name a parameter in it"),
        ({"training": {}}, "space", "the space is empty; name a parameter in it"),
        (
            {"trainin": {"epochs": {}}},
            "trainin",
            "a path in the space begins with no 'trainin'; did you mean 'training'?",
        ),
        ({"model": 3}, "model", "'model' is no parameter; write model.NAME = …"),
        ({"model": {"x": 3}}, "model.x", "'model.x' wants one domain, as { uniform = [0.1, 0.5] }"),
        ({"model": {"x": {}}}, "model.x", "'model.x' wants one domain"),
        (
            {"model": {"x": {"uniform": [0, 1], "choice": [1, 2]}}},
            "model.x",
            "'model.x' wants one domain",
        ),
        (
            {"loss": {"x": {"unifrom": [0, 1]}}},
            "loss.x",
            "there is no domain 'unifrom'; did you mean 'uniform'?",
        ),
        (
            {"loss": {"x": {"y": {"choice": [1, 2]}}}},
            "loss.x",
            "there is no domain 'y'; there is choice, loguniform, randint, uniform",
        ),
        ({"loss": {"x": {"choice": "ab"}}}, "loss.x", "'loss.x': choice wants a list"),
        ({"loss": {"x": {"choice": [1]}}}, "loss.x", "choice wants two values or more"),
        ({"loss": {"x": {"choice": [[1], [2]]}}}, "loss.x", "choice wants two values or more"),
        ({"loss": {"x": {"choice": [1, 1.0]}}}, "loss.x", "each just once"),
        ({"loss": {"x": {"choice": [1, True]}}}, "loss.x", "each just once"),
        ({"loss": {"x": {"uniform": ["a", "b"]}}}, "loss.x", "uniform wants two numbers"),
        ({"loss": {"x": {"uniform": [False, True]}}}, "loss.x", "uniform wants two numbers"),
        ({"loss": {"x": {"uniform": [0, float("nan")]}}}, "loss.x", "uniform wants two numbers"),
        ({"loss": {"x": {"uniform": [0, float("inf")]}}}, "loss.x", "uniform wants two numbers"),
        ({"loss": {"x": {"uniform": [0, 10**400]}}}, "loss.x", "uniform wants two numbers"),
        ({"loss": {"x": {"loguniform": [0, 1]}}}, "loss.x", "loguniform wants numbers above 0"),
        ({"loss": {"x": {"randint": [1, 2.5]}}}, "loss.x", "randint wants whole numbers"),
    ],
)
def test_a_space_that_is_none_is_said(space, key, said):
    with pytest.raises(SchemaError) as caught:
        domains(space)
    assert said in str(caught.value)
    assert caught.value.key == key
    assert len(str(caught.value).splitlines()) == 1


def test_paths_keep_the_order_of_the_file(load_sweep):
    assert load_sweep().table.domains == {
        "training.learning_rate": Domain("loguniform", (1e-3, 1e-1)),
        "training.optimizer": Domain("choice", ("adam", "sgd")),
        "model.hidden": Domain("randint", (4, 9)),
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        (
            RATE,
            "training.learning_rate = { loguniform = [1e-1, 1e-3] }",
            19,
            ["the lower one first"],
        ),
        (RATE, "trainin.learning_rate = { uniform = [0, 1] }", 18, ["did you mean 'training'?"]),
        ("trials = 6", "trials = 0", 16, ["trials = 0", ">= 1"]),
        ("trials = 6\n", "", 14, ["'trials' is missing"]),
        ("trials = 6", "trials = 6\nsampler = 'tpa'", 17, ["sampler", "did you mean 'tpe'?"]),
        ("trials = 6", "trials = 6\nscheduler = 'ahsa'", 17, ["did you mean 'asha'?"]),
        ("trials = 6", "trials = 6\nreduction = 1", 17, ["reduction = 1", ">= 2"]),
        ("trials = 6", "trials = 6\nminutes = -1.0", 17, ["minutes = -1.0", ">= 0"]),
        ("trials = 6", "trials = 6\nsilence = 0", 17, ["silence = 0", "> 0"]),
        ("trials = 6", "trails = 6", 16, ["'trails'", "did you mean 'trials'?"]),
    ],
)
def test_a_mistake_in_the_table_is_said_with_its_place(load_sweep, old, new, line, parts):
    said = refused(load_sweep, old, new)
    assert f"bench.toml:{line}: [suite.tiny.sweep{'.space' * (old == RATE)}] " in said
    for part in parts:
        assert part in said


def test_a_suite_without_the_table_is_told_what_to_write(suite):
    assert refused(of, suite) == (
        "suite 'tiny' has no table [suite.tiny.sweep]; write one, see docs/sweeps.md"
    )


def test_a_sweep_of_several_combinations_is_refused_with_their_names(load_sweep):
    said = refused(load_sweep, 'loss = "ctc"', "")
    assert "a sweep is of one dataset, model and loss, and 2 are left" in said
    assert "· ctc; seq-digits(digits=2, rounds=1) · cnn-bilstm" in said
    assert "or with -d, -m and -l" in said


def test_globs_go_before_those_of_the_table(load_sweep):
    assert load_sweep().base.loss.name == "ctc"
    assert load_sweep(loss="radial*", dataset=None, model=None).base.loss.name == "radial-ctc"
    said = refused(load_sweep, loss="*ctc")
    assert "2 are left" in said


def test_a_glob_that_matches_nothing_is_said(load_sweep):
    with pytest.raises(BenchError, match="did you mean 'ctc'") as caught:
        load_sweep(loss="ctcc")
    assert caught.value.code == Exit.NOTHING


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            "training.learning_rat = { uniform = [0.1, 0.2] }",
            "there is no key 'learning_rat' here; did you mean 'learning_rate'?",
        ),
        ("model.heads = { choice = [1, 2] }", "model.heads: there is no key 'heads' here; there"),
        ("loss.eta = { choice = [1, 2] }", "loss.eta: there is no key 'eta' here"),
        ("training.learning_rate = { uniform = [0, 1] }", "learning_rate = 0.0"),
        ("training.batch_size = { randint = [0, 9] }", "batch_size = 0"),
        ("training.batch_size = { uniform = [1, 9] }", "batch_size = 1.0"),
        ("training.optimizer = { choice = ['adam', 'adma'] }", "optimizer"),
        ("training.decay = { choice = [0.1, 0.2] }", "training.decay: 'decay' is read by"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_anything_starts(load_sweep, new, said):
    old = "training.optimizer = { choice = ['adam', 'sgd'] }".replace("'", '"')
    old = old if "optimizer" in new else RATE
    found = refused(load_sweep, old, new)
    assert found.startswith("suite 'tiny': [suite.tiny.sweep.space] ")
    assert said in found


def test_the_upper_end_of_whole_numbers_is_not_drawn(load_sweep):
    hidden = load_sweep().table.domains["model.hidden"]
    assert (hidden.values, hidden.extremes) == ((4, 9), (4, 8))


def test_trials_have_a_seed_that_no_run_has(load_sweep):
    assert load_sweep().base.seed == 2
    assert load_sweep("trials = 6", "trials = 6\nseed = 0").base.seed == 0


def test_the_tuned_entries_of_the_suite_are_no_part_of_the_grid_it_searches(load_sweep, home):
    before = load_sweep()
    tuned = (
        "\n[[suite.tiny.tuned]]\ndataset = { name = 'seq-digits', digits = 2, rounds = 1 }\n"
        "model = 'cnn-bilstm'\nloss = 'ctc'\n"
        "tuning = { sweep = 'a', sampler = 'tpe', trials = 1, epochs = 1 }\n"
    )
    after = load_sweep("[suite.tiny.sweep.space]", f"{tuned}[suite.tiny.sweep.space]")
    assert len(after.suite.tuned) == 1
    assert after.key == before.key


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("1e-1] }", "1e-2] }", True),
        ("loguniform", "uniform", True),
        ('["adam", "sgd"]', '["adam", "adamw"]', True),
        ("model.hidden = { randint = [4, 9] }\n", "", True),
        ("trials = 6", "trials = 6\nsampler = 'random'", True),
        ("trials = 6", "trials = 6\nscheduler = 'fifo'", True),
        ("trials = 6", "trials = 6\ngrace = 2", True),
        ("trials = 6", "trials = 6\nreduction = 2", True),
        ("trials = 6", "trials = 6\nseed = 7", True),
        ('loss = "ctc"', 'loss = "radial*"', True),
        ("trials = 6", "trials = 60", False),
        ("trials = 6", "trials = 6\nminutes = 3", False),
        ("trials = 6", "trials = 6\nsilence = 5", False),
        ('loss = "ctc"', 'loss = "c*"', False),
        ("trials = 6", "trials = 6\nsampler = 'tpe'\nseed = 2", False),
        ("loguniform = [1e-3", "loguniform = [0.001", False),
    ],
)
def test_the_key_is_of_what_is_searched_and_not_of_its_budget(load_sweep, old, new, moves):
    assert (load_sweep(old, new).key != load_sweep().key) is moves


def test_the_key_is_of_the_base(load_sweep):
    found = load_sweep()
    base = replace(found.base, protocol=replace(protocols.find("digits"), version=2))
    assert replace(found, base=base).key != found.key


def test_params_change_what_they_name_and_nothing_else(load_sweep):
    base = load_sweep().base
    params = {"training.learning_rate": 0.5, "model.hidden": 8, "training.optimizer": "sgd"}
    trial = changed(base, params)
    assert trial.training == replace(base.training, learning_rate=0.5, optimizer="sgd")
    assert trial.model == replace(base.model, hidden=8)
    assert replace(trial, training=base.training, model=base.model) == base
    assert trial.key != base.key
    assert changed(base, {}) == base


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_point_of_a_valid_space_is_a_trial(data):
    from bench.config.suite import Recipe, Resources
    from bench.data.datasets.seq_digits import SeqDigits
    from bench.losses.ctc import CTC
    from bench.models.cnn_bilstm import CnnBiLSTM
    from bench.trials.grid import Trial

    found = protocols.find("digits")
    base = Trial(SeqDigits(), CnnBiLSTM(), CTC(), 0, Recipe(1, 1, 1.0), found, Resources())
    low, high = data.draw(st.lists(st.integers(1, 99), min_size=2, max_size=2, unique=True))
    ends = sorted([low, high])
    hidden, rate = domain("randint", ends), domain("loguniform", ends)
    params = {
        "model.hidden": data.draw(st.integers(*hidden.extremes)),
        "training.learning_rate": data.draw(st.floats(*rate.extremes)),
    }
    trial = changed(base, params)
    assert (trial.model.hidden, trial.training.learning_rate) == tuple(params.values())


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"model.hiden": 3}, "did you mean 'hidden'?"),
        ({"model.hidden": 0}, "hidden = 0"),
        ({"training.learning_rate": "fast"}, "got `str`"),
    ],
)
def test_a_parameter_that_cannot_be_is_a_fault_of_the_schema(load_sweep, params, said):
    with pytest.raises(SchemaError, match=said.replace("?", r"\?")):
        changed(load_sweep().base, params)


def test_the_table_has_documented_defaults():
    table = fill(SweepTable, {"space": {}, "trials": 1})
    assert (table.sampler, table.scheduler, table.grace, table.reduction) == ("tpe", "asha", 1, 3)
    assert (table.minutes, table.seed, table.silence) == (0.0, None, 600.0)

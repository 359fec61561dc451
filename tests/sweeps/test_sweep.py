"""A sweep from bench.toml: its domains, the training that it searches, and its key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import bench_toml
from bench.config.sweep_space import Domain, SweepTable
from bench.core.errors import BenchError, Exit
from bench.core.schema import SchemaError, fill
from bench.data.augmentation.sign_language import SignLanguage
from bench.sweeps.sweep import sweep_of, with_params

RATE = "recipe.learning_rate = { loguniform = [1e-3, 1e-1] }"
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
    (found,) = domains({"recipe": {"x": {kind: values}}}).values()
    return found


def refused(*words: object, **globs: str) -> str:
    """Return the sentence with which a call of `words` is refused."""
    call, *values = words
    with pytest.raises(BenchError) as caught:
        call(*values, **globs)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@given(pairs)
def test_an_interval_has_the_ends_it_was_given(pair):
    found = domain("uniform", pair)
    assert found == Domain("uniform", tuple(map(float, pair)))
    assert found.extremes == found.values
    assert {type(value) for value in found.values} == {float}
    if pair[0] > 0:
        assert domain("loguniform", pair).extremes == tuple(pair)
    else:
        with pytest.raises(SchemaError, match="loguniform requires numbers above 0"):
            domain("loguniform", pair)


@given(whole_pairs)
def test_the_upper_end_of_randint_may_not_be_drawn(pair):
    first, beyond = pair
    assert domain("randint", pair).extremes == (first, beyond - 1)


@given(choices)
def test_a_choice_holds_each_of_its_values_as_it_is(values):
    assert domain("choice", values).extremes == tuple(values)


@given(st.sampled_from(["uniform", "loguniform", "randint"]), pairs | whole_pairs)
def test_the_lower_number_stands_first(kind, pair):
    for wrong in (pair[::-1], [pair[0]] * 2, pair[:1], [*pair, pair[1] + 1]):
        with pytest.raises(SchemaError, match=f"{kind} requires two numbers, the lower one first"):
            domain(kind, wrong)


@given(choices, st.data())
def test_a_choice_of_a_value_twice_is_refused(values, data):
    twice = [*values, data.draw(st.sampled_from(values))]
    with pytest.raises(SchemaError, match="choice requires two or more values without duplicates"):
        domain("choice", twice)


@pytest.mark.parametrize(
    ("space", "key", "message"),
    [
        ({}, "space", "the space is empty; add a parameter to it"),
        ({"recipe": {}}, "space", "the space is empty; add a parameter to it"),
        (
            {"recip": {"epochs": {}}},
            "recip",
            "a path in the space cannot begin with 'recip'; did you mean 'recipe'?",
        ),
        (
            {"recipe": {"epochs": {"randint": [1, 9]}}},
            "recipe.epochs",
            "'recipe.epochs' cannot be searched, because trials are compared after the same number",
        ),
        ({"data": {"rounds": {}}}, "data", "a path in the space cannot begin with 'data'"),
        ({"model": 3}, "model", "'model' is not a parameter; write model.NAME = …"),
        (
            {"model": {"x": 3}},
            "model.x",
            "'model.x' must be one domain, as { uniform = [0.1, 0.5] }",
        ),
        ({"model": {"x": {}}}, "model.x", "'model.x' must be one domain"),
        (
            {"model": {"x": {"uniform": [0, 1], "choice": [1, 2]}}},
            "model.x",
            "'model.x' must be one domain",
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
        ({"loss": {"x": {"choice": "ab"}}}, "loss.x", "'loss.x': choice requires a list"),
        ({"loss": {"x": {"choice": [1]}}}, "loss.x", "choice requires two or more values"),
        ({"loss": {"x": {"choice": [[1], [2]]}}}, "loss.x", "choice requires two or more values"),
        ({"loss": {"x": {"choice": [1, 1.0]}}}, "loss.x", "without duplicates"),
        ({"loss": {"x": {"choice": [1, True]}}}, "loss.x", "without duplicates"),
        ({"loss": {"x": {"uniform": ["a", "b"]}}}, "loss.x", "uniform requires two numbers"),
        ({"loss": {"x": {"uniform": [False, True]}}}, "loss.x", "uniform requires two numbers"),
        ({"loss": {"x": {"uniform": [0, float("nan")]}}}, "loss.x", "uniform requires two numbers"),
        ({"loss": {"x": {"uniform": [0, float("inf")]}}}, "loss.x", "uniform requires two numbers"),
        ({"loss": {"x": {"uniform": [0, 10**400]}}}, "loss.x", "uniform requires two numbers"),
        ({"loss": {"x": {"loguniform": [0, 1]}}}, "loss.x", "loguniform requires numbers above 0"),
        ({"loss": {"x": {"randint": [1, 2.5]}}}, "loss.x", "randint requires whole numbers"),
    ],
)
def test_a_wrong_space_is_an_error(space, key, message):
    with pytest.raises(SchemaError) as caught:
        domains(space)
    assert message in str(caught.value)
    assert caught.value.key == key
    assert len(str(caught.value).splitlines()) == 1


def test_paths_keep_the_order_of_the_file(load_sweep):
    assert load_sweep().table.domains == {
        "recipe.learning_rate": Domain("loguniform", (1e-3, 1e-1)),
        "recipe.optimizer": Domain("choice", ("adam", "sgd")),
        "model.hidden": Domain("randint", (4, 9)),
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        (
            RATE,
            "recipe.learning_rate = { loguniform = [1e-1, 1e-3] }",
            19,
            ["the lower one first"],
        ),
        (RATE, "recip.learning_rate = { uniform = [0, 1] }", 18, ["did you mean 'recipe'?"]),
        ("trials = 6", "trials = 0", 16, ["trials = 0", ">= 1"]),
        ("trials = 6\n", "", 14, ["'trials' is missing"]),
        ("trials = 6", "trials = 6\nsampler = 'tpa'", 17, ["sampler", "did you mean 'tpe'?"]),
        ("trials = 6", "trials = 6\nscheduler = 'ahsa'", 17, ["did you mean 'asha'?"]),
        ("trials = 6", "trials = 6\nreduction_factor = 1", 17, ["reduction_factor = 1", ">= 2"]),
        ("trials = 6", "trials = 6\nminutes = -1.0", 17, ["minutes = -1.0", ">= 0"]),
        ("trials = 6", "trials = 6\nheartbeat_timeout = 0", 17, ["heartbeat_timeout = 0", "> 0"]),
        ("trials = 6", "trails = 6", 16, ["'trails'", "did you mean 'trials'?"]),
    ],
)
def test_a_mistake_in_the_table_is_reported_with_its_line(load_sweep, old, new, line, parts):
    said = refused(load_sweep, old, new)
    assert f"bench.toml:{line}: [suite.tiny.sweep{'.space' * (old == RATE)}] " in said
    for part in parts:
        assert part in said


def test_a_suite_without_the_table_names_what_to_write(suite):
    assert refused(sweep_of, suite) == (
        "suite 'tiny' has no table [suite.tiny.sweep]; write one, see `bench docs sweeps`"
    )


def test_a_sweep_of_several_trainings_is_refused_with_their_names(load_sweep):
    said = refused(load_sweep, 'loss = "ctc"', "")
    assert "a sweep searches the parameters of one training, and 2 are left" in said
    assert " · ctc" in said
    assert " · radial-ctc" in said
    assert "or with --train, --model and --loss" in said


def test_a_sweep_of_a_training_on_several_devices_is_refused(load_sweep):
    suite = load_sweep().suite
    devices = replace(suite, resources=replace(suite.resources, devices=2))
    with pytest.raises(BenchError, match="a trial of a sweep trains on one device"):
        sweep_of(devices)


def test_globs_replace_those_of_the_table(load_sweep):
    assert load_sweep().base.loss.name == "ctc"
    assert load_sweep(loss="radial*", train=None, model=None).base.loss.name == "radial-ctc"
    said = refused(load_sweep, loss="*ctc")
    assert "2 are left" in said


def test_training_data_are_chosen_by_name_or_label(load_sweep):
    for glob in ("seq-digits", "seq-*", "seq-digits(digits=2,*"):
        assert load_sweep(train=glob).key == load_sweep().key
    with pytest.raises(BenchError, match="no training data match 'iam'") as caught:
        load_sweep(train="iam")
    assert caught.value.code == Exit.NOTHING


def test_a_sweep_of_several_data_sets_needs_one_of_them(load_sweep, home):
    load_sweep()
    file = home / "bench.toml"
    old = '{ name = "seq-digits", digits = 2, rounds = 1 }'
    file.write_text(file.read_text().replace(old, f'{old}, "seq-digits"'))
    suite = bench_toml.load(file).suite("tiny")
    assert "2 are left" in refused(sweep_of, suite)
    assert sweep_of(suite, train="*digits=2*").base.data[0].digits == 2


def test_entries_with_the_same_training_are_one(load_sweep, home):
    before = load_sweep()
    file = home / "bench.toml"
    text = file.read_text().replace("losses =", 'decoders = ["greedy", "beam"]\nlosses =')
    file.write_text(text)
    suite = bench_toml.load(file).suite("tiny")
    assert len(suite.entries) == 4
    after = sweep_of(suite)
    assert after.key == before.key
    assert after.entry.decoder.name == "greedy"


def test_a_glob_that_matches_nothing_is_an_error(load_sweep):
    with pytest.raises(BenchError, match="did you mean 'ctc'") as caught:
        load_sweep(loss="ctcc")
    assert caught.value.code == Exit.NOTHING


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            "recipe.learning_rat = { uniform = [0.1, 0.2] }",
            "there is no key 'learning_rat' here; did you mean 'learning_rate'?",
        ),
        ("model.heads = { choice = [1, 2] }", "model.heads: there is no key 'heads' here; there"),
        ("loss.eta = { choice = [1, 2] }", "loss.eta: there is no key 'eta' here"),
        ("recipe.learning_rate = { uniform = [0, 1] }", "learning_rate = 0.0"),
        ("recipe.batch_size = { randint = [0, 9] }", "batch_size = 0"),
        ("recipe.batch_size = { uniform = [1, 9] }", "batch_size = 1.0"),
        ("recipe.optimizer = { choice = ['adam', 'adma'] }", "optimizer"),
        ("recipe.decay = { choice = [0.1, 0.2] }", "recipe.decay: 'decay' has an effect only with"),
        ("input.size = { choice = [-1, 16] }", "size = -1"),
    ],
)
def test_an_impossible_value_is_refused_before_anything_starts(load_sweep, new, said):
    old = "recipe.optimizer = { choice = ['adam', 'sgd'] }".replace("'", '"')
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


def test_the_tuned_entries_of_a_suite_are_not_searched(load_sweep, home):
    before = load_sweep()
    tuned = (
        "\n[[suite.tiny.tuned]]\nmodel = 'cnn-bilstm'\nloss = 'ctc'\n"
        "tuning = { sweep = 'a', sampler = 'tpe', trials = 1, validations = 1 }\n"
    )
    after = load_sweep("[suite.tiny.sweep.space]", f"{tuned}[suite.tiny.sweep.space]")
    assert sum(entry.tuning is not None for entry in after.suite.entries) == 1
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
        ("trials = 6", "trials = 6\ngrace_period = 2", True),
        ("trials = 6", "trials = 6\nreduction_factor = 2", True),
        ("trials = 6", "trials = 6\nseed = 7", True),
        ('loss = "ctc"', 'loss = "radial*"', True),
        ("trials = 6", "trials = 60", False),
        ("trials = 6", "trials = 6\nminutes = 3", False),
        ("trials = 6", "trials = 6\nheartbeat_timeout = 5", False),
        ('loss = "ctc"', 'loss = "c*"', False),
        ("trials = 6", "trials = 6\nsampler = 'tpe'\nseed = 2", False),
        ("loguniform = [1e-3", "loguniform = [0.001", False),
    ],
)
def test_the_key_is_of_what_is_searched_and_not_of_its_budget(load_sweep, old, new, moves):
    assert (load_sweep(old, new).key != load_sweep().key) is moves


def test_the_key_is_of_the_base(load_sweep):
    sweep = load_sweep()
    base = replace(sweep.base, recipe=replace(sweep.base.recipe, epochs=2))
    assert replace(sweep, base=base).key != sweep.key


def test_the_key_has_no_part_of_test_sets_and_protocol(load_sweep, home):
    before = load_sweep()
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('protocol = "digits"', 'protocol = "str-36"'))
    assert sweep_of(bench_toml.load(file).suite("tiny")).key == before.key


def test_params_change_what_they_name_and_nothing_else(load_sweep):
    base = load_sweep().base
    params = {"recipe.learning_rate": 0.5, "model.hidden": 8, "recipe.optimizer": "sgd"}
    training = with_params(base, params)
    assert training.recipe == replace(base.recipe, learning_rate=0.5, optimizer="sgd")
    assert training.model == replace(base.model, hidden=8)
    assert replace(training, recipe=base.recipe, model=base.model) == base
    assert training.key != base.key
    assert with_params(base, {}) == base
    assert with_params(base, {"input.size": 16}).input == replace(base.input, size=16)
    augmented = with_params(base, {"recipe.augmentation": "sign-language"})
    assert augmented.recipe == replace(base.recipe, augmentation=SignLanguage())
    assert with_params(augmented, params).recipe.augmentation == SignLanguage()
    assert with_params(augmented, {"recipe.augmentation": "none"}) == base


@settings(max_examples=30)
@given(data=st.data())
def test_any_point_of_a_valid_space_is_a_trial(data):
    from bench.config.recipe import Recipe, Resources
    from bench.data.datasets.seq_digits import SeqDigits
    from bench.losses.ctc import CTC
    from bench.models.cnn_bilstm import CnnBiLSTM
    from bench.trials.specs import Training

    model, recipe = CnnBiLSTM(), Recipe(batch_size=1, learning_rate=1.0, epochs=1)
    base = Training((SeqDigits(),), model.default_input, model, CTC(), recipe, 0, Resources())
    low, high = data.draw(st.lists(st.integers(1, 99), min_size=2, max_size=2, unique=True))
    ends = sorted([low, high])
    hidden, rate = domain("randint", ends), domain("loguniform", ends)
    params = {
        "model.hidden": data.draw(st.integers(*hidden.extremes)),
        "recipe.learning_rate": data.draw(st.floats(*rate.extremes)),
    }
    training = with_params(base, params)
    assert (training.model.hidden, training.recipe.learning_rate) == tuple(params.values())


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"model.hiden": 3}, "did you mean 'hidden'?"),
        ({"model.hidden": 0}, "hidden = 0"),
        ({"recipe.learning_rate": "fast"}, "got `str`"),
        ({"recipe.augmentation": "sign-langage"}, "did you mean 'sign-language'?"),
    ],
)
def test_an_impossible_parameter_is_an_error_of_the_schema(load_sweep, params, said):
    with pytest.raises(SchemaError, match=said.replace("?", r"\?")):
        with_params(load_sweep().base, params)


def test_the_table_has_documented_defaults():
    table = fill(SweepTable, {"space": {}, "trials": 1})
    assert (table.sampler, table.scheduler) == ("tpe", "asha")
    assert (table.grace_period, table.reduction_factor) == (1, 3)
    assert (table.minutes, table.seed, table.heartbeat_timeout) == (0.0, None, 600.0)

"""Trainings and evaluations: what is part of their keys, what is not, and their seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import bench_toml
from bench.config.recipe import Recipe, Resources
from bench.core import hashing
from bench.data.datasets import seq_digits
from bench.decoding.beam import BeamDecoder
from bench.evaluation import protocols
from bench.evaluation.metrics import metric
from bench.leaderboards.board_identity import entry_identity
from bench.losses.ctc import CTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid
from bench.trials.grid import row_label
from bench.trials.specs import Training, named_seed

MULTI_STEP = "schedule = 'multi-step'\nmilestones = [2]\ndecay = 0.2"
RATE = "learning_rate = 0.01"
DATA = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
SHARED = 'train = [{ name = "seq-digits", digits = 2, rounds = 1 }]\ntests = ['
BOTH = f'{SHARED}{{ name = "seq-digits", digits = 2, rounds = 1 }}, "seq-digits"]'


@pytest.fixture
def keys(home):
    """Return a function that gives the keys of bench.toml, with one passage replaced.

    They are two sets: of the trainings, and of the evaluations.
    """
    file = home / "bench.toml"
    tiny = file.read_text()

    def of(old: str = "", new: str = "") -> tuple[set[str], set[str]]:
        assert not old or tiny.count(old) == 1
        file.write_text(tiny.replace(old, new) if old else tiny)
        tasks = grid.tasks(grid.trials(bench_toml.load(file).suite("tiny")))
        kinds = ("training", "evaluation")
        trainings, evaluations = ({t.key for t in tasks if t.kind == kind} for kind in kinds)
        return trainings, evaluations

    return of


def test_a_key_is_the_digest_of_the_spec_as_json(trials):
    tasks = grid.tasks(trials)
    for task in tasks:
        assert len(task.key) == 16
        assert set(task.key) <= set("0123456789abcdef")
        assert json.loads(json.dumps(task.spec)) == task.spec
        assert hashing.digest(task.spec) == task.key
    assert len({task.key for task in tasks}) == len(tasks) == 8


def test_a_fresh_interpreter_gives_the_same_keys(home, trials):
    code = (
        "import json; from bench.config import bench_toml\n"
        "from bench.trials import grid\n"
        "tasks = grid.tasks(grid.trials(bench_toml.load().suite('tiny')))\n"
        "print(json.dumps([t.key for t in tasks] + [tasks[0].named_seed('weights')]))"
    )
    tasks = grid.tasks(trials)
    here = [task.key for task in tasks] + [tasks[0].named_seed("weights")]
    for salt in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", code],
            cwd=home,
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(answer.stdout) == here


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("digits = 2", "digits = 3"),
        ("rounds = 1", "rounds = 2"),
        ("rounds = 1", "rounds = 1, ramp = [0.1, 0.9]"),
        ("width = 2", "width = 3"),
        ("hidden = 4", "hidden = 5"),
        ('"cnn-bilstm", width = 2, hidden = 4', '"lenetpp", width = 2'),
        ('"ctc", "radial-ctc"', '{ name = "radial-ctc", eta = 0.1 }'),
        ('"ctc", "radial-ctc"', '{ name = "radial-ctc", scale = 8 }'),
        ("epochs = 1", "epochs = 2"),
        ("batch_size = 64", "batch_size = 32"),
        (RATE, "learning_rate = 0.011"),
        (RATE, f"{RATE}\noptimizer = 'sgd'"),
        (RATE, f"{RATE}\nweight_decay = 0.1"),
        (RATE, f"{RATE}\nschedule = 'one-cycle'"),
        (RATE, f"{RATE}\n{MULTI_STEP}"),
        (RATE, f"{RATE}\ngradient_clip = 5"),
        (RATE, f"{RATE}\nselect = 'last'"),
        (RATE, f"{RATE}\nbetas = [0.5, 0.999]"),
        (
            RATE,
            f"{RATE}\noptimizer = 'sgd'\nmomentum = 0.9",
        ),
        (RATE, f"{RATE}\nwarmup = 0.5"),
        (RATE, f"{RATE}\naccumulate = 2"),
        (RATE, f"{RATE}\nprecision = 'bf16'"),
        (RATE, f"{RATE}\npatience = 1"),
        (RATE, f"{RATE}\naugmentation = 'sign-language'"),
        ("seeds = [0, 1]", "seeds = [2, 3]"),
        ("hidden = 4", "hidden = 4, input = { normalization = 'signed' }"),
        ("hidden = 4", "hidden = 4, recipe = { epochs = 5 }"),
        ("hidden = 4", "hidden = 4, train = ['seq-digits']"),
        ("seeds = [0, 1]", "seeds = [0, 1]\nalphabet = 'str-36'"),
        (RATE, f"{RATE}\n[suite.tiny.resources]\ncpus = 2"),
    ],
)
def test_what_decides_the_weights_changes_every_key(keys, old, new):
    (trainings, evaluations), (new_trainings, new_evaluations) = keys(), keys(old, new)
    assert trainings.isdisjoint(new_trainings)
    assert evaluations.isdisjoint(new_evaluations)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Two digits, one epoch, seconds.", "Something else."),
        (RATE, f"{RATE}\n[suite.tiny.resources]\ngpus = 0.5\ndevice = 'cpu'\nworkers = 2"),
        (RATE, f"{RATE}\n[suite.tiny.resources]\ntime_limit = 9\ncheckpoint_every = '9 seconds'"),
        ("hidden = 4", "hidden = 4, label = 'small', input = { normalization = 'unit' }"),
        ('"radial-ctc"', '{ name = "radial-ctc", label = "Radial" }'),
        ("hidden = 4", "hidden = 4, recipe = { epochs = 1 }"),
        ("seeds = [0, 1]", "seeds = [0, 1]\naverage = 'mean'\ndecoders = ['greedy']"),
        (DATA, DATA.replace("datasets", "tests") + "\n" + DATA.replace("datasets", "train")),
        ("epochs = 1", "epochs = 1\nbetas = [0.9, 0.999]\nmomentum = 0\nwarmup = 0"),
        ("epochs = 1", "epochs = 1\naccumulate = 1\nprecision = 'float32'\npatience = 0"),
        ("epochs = 1", "epochs = 1\naugmentation = 'none'"),
        ("epochs = 1", "epochs = 1\nmilestones = []\ndecay = 1"),
        ("width = 2, hidden = 4", "hidden = 4, width = 2"),
        ('name = "seq-digits", digits = 2, rounds = 1', 'rounds=1,digits=2,name="seq-digits"'),
        ("epochs = 1\nbatch_size = 64\n", "batch_size = 64\nepochs = 1\n"),
        ("epochs = 1", "epochs = 1\noptimizer = 'adam'\nselect = 'best'"),
        ("width = 2", "layers = 1, width = 2"),
        ("seeds = [0, 1]", "seeds = [0, 1]\nskip_incompatible = true"),
        ("learning_rate = 0.01", "learning_rate = 1e-2 # the same"),
    ],
)
def test_what_decides_no_number_changes_no_key(keys, old, new):
    assert keys() == keys(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DATA, f'{SHARED}"seq-digits"]'),
        ('protocol = "digits"', 'protocol = "str-36"'),
        ("seeds = [0, 1]", "seeds = [0, 1]\ndecoders = ['beam']"),
        ("seeds = [0, 1]", "seeds = [0, 1]\ndecoders = [{ name = 'beam', width = 3 }]"),
    ],
)
def test_what_decides_scores_alone_changes_the_keys_of_evaluations_alone(keys, old, new):
    (trainings, evaluations), (new_trainings, new_evaluations) = keys(), keys(old, new)
    assert new_trainings == trainings
    assert evaluations.isdisjoint(new_evaluations)


@pytest.mark.parametrize(
    ("old", "new"),
    [(DATA, BOTH), ("seeds = [0, 1]", "seeds = [0, 1]\ndecoders = ['greedy', 'beam']")],
)
def test_a_test_set_or_decoder_more_keeps_all_keys_and_trains_nothing(keys, old, new):
    (trainings, evaluations), (new_trainings, new_evaluations) = keys(), keys(old, new)
    assert new_trainings == trainings
    assert evaluations < new_evaluations
    assert len(new_evaluations) == 2 * len(evaluations)


def test_a_metric_is_part_of_the_evaluations_that_report_it_alone(trials, monkeypatch):
    evaluation = trials[0].evaluations["seq-digits"]
    fewer = replace(evaluation, protocol=replace(evaluation.protocol, metrics=("cer",)))
    assert fewer.key != evaluation.key
    assert fewer.training.key == evaluation.training.key
    monkeypatch.setattr(type(metric.find_metric("map")), "version", 9)
    assert replace(evaluation).key != evaluation.key
    assert replace(fewer).key == fewer.key


def test_suites_with_the_same_training_share_it(home):
    file = home / "bench.toml"
    other = file.read_text().replace("suite.tiny", "suite.other").replace("[0, 1]", "[1, 2]")
    other = other.replace(DATA, BOTH).replace('["ctc", "radial-ctc"]', '["ctc"]')
    file.write_text(f"{file.read_text()}\n{other}")
    config = bench_toml.load(file)
    tiny, other = (grid.trials(config.suite(name)) for name in ("tiny", "other"))
    first, second = ({t.key for trial in ts for t in trial.trainings} for ts in (tiny, other))
    assert len(first) == 4
    assert len(second) == 2
    assert len(first & second) == 1


def test_a_schedule_hashes_what_it_reads_and_no_more(keys, trials):
    assert {"milestones", "decay"}.isdisjoint(trials[0].trainings[0].spec["recipe"])
    steps = [f"{RATE}\n{MULTI_STEP}".replace("[2]", steps) for steps in ("[2]", "[3]")]
    steps.append(f"{RATE}\n{MULTI_STEP}".replace("0.2", "0.5"))
    lists = [keys(RATE, text)[0] for text in steps]
    assert len(set.union(*lists)) == 3 * len(lists[0])


def test_a_spec_has_what_a_recipe_changes_and_no_default(trials):
    # What recipes learn to say later must not change the keys of records.
    recipe = {"epochs": 1, "batch_size": 64, "learning_rate": 0.01}
    assert trials[0].trainings[0].spec["recipe"] == recipe


def test_a_task_keeps_its_key_beside_others(keys):
    alone, all_keys = keys("[0, 1]", "[1]"), keys()
    assert alone[0] < all_keys[0]
    assert alone[1] < all_keys[1]


@pytest.mark.parametrize("component", [seq_digits.SeqDigits, CnnBiLSTM, CTC])
def test_the_version_of_a_component_is_in_the_key(keys, monkeypatch, component):
    before = keys("[0, 1]", "[0]")
    monkeypatch.setattr(component, "version", component.version + 1)
    after = keys("[0, 1]", "[0]")
    for old, new in zip(before, after, strict=True):
        assert len(old & new) == (1 if component is CTC else 0)


def test_the_data_are_in_the_key(keys, monkeypatch):
    before = keys()
    monkeypatch.setattr(seq_digits, "SHA256", "other")
    for old, new in zip(before, keys(), strict=True):
        assert old.isdisjoint(new)


def test_each_task_has_the_fingerprints_of_the_splits_that_it_reads(trials, monkeypatch):
    monkeypatch.setattr(seq_digits.SeqDigits, "fingerprint", lambda _, split: f"print of {split}")
    evaluation = replace(trials[0].evaluations["seq-digits"])
    training = replace(evaluation.training)
    assert training.spec["data"][0]["fingerprints"] == {
        "train": "print of train",
        "validation": "print of validation",
    }
    assert evaluation.spec["test"]["fingerprints"] == {"test": "print of test"}


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"version": 2}, True),
        ({"charset": "01"}, True),
        ({"unit": "byte"}, True),
        ({"case": "lower"}, True),
        ({"name": "other"}, True),
        ({"about": "Other words."}, False),
    ],
)
def test_the_rules_of_the_protocol_are_in_the_key_of_an_evaluation(trials, change, moves):
    evaluation = trials[0].evaluations["seq-digits"]
    changed = replace(evaluation, protocol=replace(protocols.find_protocol("digits"), **change))
    assert (changed.key != evaluation.key) is moves
    assert changed.training.key == evaluation.training.key


def test_paths_have_the_names_of_the_parts_the_seed_and_the_key(trials):
    evaluation = trials[3].evaluations["seq-digits"]
    training = evaluation.training
    assert str(training.path) == f"trainings/cnn-bilstm/radial-ctc/seed1-{training.key}"
    assert str(evaluation.path) == (
        f"evaluations/seq-digits/cnn-bilstm/radial-ctc/seed1-{evaluation.key}"
    )
    beam = replace(evaluation, decoder=BeamDecoder(width=3))
    assert beam.path.parent == evaluation.path.parent
    assert beam.labels == evaluation.labels | {"decoder": "beam(width=3)"}


def test_resources_of_a_task_are_those_of_its_training(trials):
    evaluation = trials[0].evaluations["seq-digits"]
    more = evaluation.with_resources(Resources(cpus=1, workers=3))
    assert more.resources == more.training.resources == Resources(cpus=1, workers=3)
    assert more.key == evaluation.key


@settings(max_examples=60)
@given(st.integers(0, 2**40), st.integers(0, 2**40), st.text(max_size=8), st.text(max_size=8))
def test_a_named_seed_is_of_its_seed_and_purpose_alone(first, second, one, other):
    def training(seed: int, width: int) -> Training:
        model, recipe = CnnBiLSTM(width=width), Recipe(batch_size=1, learning_rate=1.0, epochs=1)
        data = (seq_digits.SeqDigits(),)
        return Training(data, model.default_input, model, CTC(), recipe, seed, Resources())

    drawn = training(first, 1).named_seed(one)
    assert 0 <= drawn < 2**63
    assert training(first, 2).named_seed(one) == drawn == named_seed(first, one)
    assert (training(second, 1).named_seed(other) == drawn) is ((first, one) == (second, other))


def test_seed_and_purpose_do_not_run_together():
    assert named_seed(1, "23") != named_seed(12, "3")


def test_named_seeds_fill_their_range():
    drawn = [named_seed(seed, str(n)) for seed in (0, 1) for n in range(200)]
    assert max(drawn) >= 2**62
    assert min(drawn) < 2**57


def test_devices_are_part_of_the_key_of_a_training_and_its_evaluations_use_one(trials):
    evaluation = next(iter(trials[0].evaluations.values()))
    training = evaluation.training
    assert "devices" not in training.spec
    two = training.with_resources(replace(training.resources, devices=2))
    assert two.spec == training.spec | {"devices": 2}
    read = replace(evaluation, training=two)
    assert read.resources.devices == 1
    again = read.with_resources(replace(read.resources, gpus=1.0))
    assert (again.key, again.training.key) == (read.key, two.key)


def test_labels_are_in_no_hash_of_an_entry(suite):
    entry = suite.entries[0]
    labeled = replace(entry, label="a", loss_label="b", decoder_label="c")
    assert row_label(labeled) == "a · b · c"
    assert entry_identity(labeled) == entry_identity(entry)

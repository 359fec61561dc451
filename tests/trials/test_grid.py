"""A suite's trials: their order, their keys, their seeds, and what is chosen of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import bench_toml as config
from bench.config import suite as suites
from bench.core import hashing
from bench.core.components import Dataset, Seq2SeqModel
from bench.core.errors import BenchError, Exit
from bench.core.types import InputKind
from bench.data.datasets import seq_digits
from bench.evaluation import protocols
from bench.losses.base import Seq2SeqLoss
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid

MULTI_STEP = "schedule = 'multi-step'\nmilestones = [2]\ndecay = 0.2"


@dataclass(frozen=True)
class Lines(Dataset):
    """Text lines."""

    name: ClassVar[str] = "lines"
    gives: ClassVar[InputKind] = "image"
    protocol: ClassVar[str] = "digits"

    def fingerprint(self):
        return "none"

    def build(self):
        raise NotImplementedError


@dataclass(frozen=True)
class Reader(Seq2SeqModel):
    """Image to symbols."""

    name: ClassVar[str] = "reader"
    accepts: ClassVar[InputKind] = "image"

    def build(self, shape, classes):
        raise NotImplementedError


@dataclass(frozen=True)
class CrossEntropy(Seq2SeqLoss):
    """A loss of symbols."""

    name: ClassVar[str] = "cross-entropy"

    def feedback(self, head, targets):
        raise NotImplementedError

    def head(self, feature_dims, classes):
        raise NotImplementedError

    def objective(self, head, features, targets):
        raise NotImplementedError


@pytest.fixture
def keys(home):
    """Return a function that gives the keys of bench.toml, with one passage replaced."""
    file = home / "bench.toml"
    tiny = file.read_text()

    def of(old: str = "", new: str = "") -> list[str]:
        assert not old or tiny.count(old) == 1
        file.write_text(tiny.replace(old, new) if old else tiny)
        return [trial.key for trial in grid.trials(config.load(file).suite("tiny"))]

    return of


@pytest.fixture
def mixed(suite) -> suites.Suite:
    """Return a suite where some of the triples do not fit."""
    return replace(
        suite,
        datasets=(*suite.datasets, Lines()),
        models=(*suite.models, Reader()),
        losses=(CTC(), CrossEntropy()),
    )


def test_all_of_one_seed_come_before_the_next(suite):
    wide = replace(
        suite,
        seeds=(3, 1),
        datasets=(seq_digits.SeqDigits(), seq_digits.SeqDigits(digits=2)),
        models=(CnnBiLSTM(), CnnBiLSTM(width=2)),
    )
    found = [(t.seed, t.dataset, t.model, t.loss) for t in grid.trials(wide)]
    assert found == [
        (seed, dataset, model, loss)
        for seed in (3, 1)
        for dataset in wide.datasets
        for model in wide.models
        for loss in wide.losses
    ]


def test_a_trial_carries_what_the_suite_says(suite, trials):
    for trial in trials:
        assert trial.training is suite.training
        assert trial.protocol is suite.protocol
        assert trial.resources is suite.resources
    assert trials[0].labels == {
        "dataset": "seq-digits(digits=2, rounds=1)",
        "model": "cnn-bilstm(width=2, hidden=4)",
        "loss": "ctc",
    }
    assert trials[-1].label == (
        "seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · radial-ctc · seed 1"
    )


def test_digest_of_a_given_spec_is_for_ever():
    # Another number would make every record there is stale.
    golden = "2dd2c98899b73318"
    assert hashing.digest({"b": [1, 2.5, None], "a": {"é": True}}) == golden
    text = '{"a":{"é":true},"b":[1,2.5,null]}'
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == golden


def test_a_key_is_the_digest_of_the_spec_as_json(trials):
    for trial in trials:
        assert len(trial.key) == 16
        assert set(trial.key) <= set("0123456789abcdef")
        assert hashing.digest(json.loads(json.dumps(trial.spec))) == trial.key
    assert len({trial.key for trial in trials}) == len(trials) == 4


def test_a_fresh_interpreter_gives_the_same_keys(home, keys):
    code = (
        "import json; from bench.config import bench_toml as config\n"
        "from bench.trials import grid\n"
        "trials = grid.trials(config.load().suite('tiny'))\n"
        "print(json.dumps([t.key for t in trials] + [t.named_seed('weights') for t in trials]))"
    )
    trials = grid.trials(config.load().suite("tiny"))
    here = keys() + [trial.named_seed("weights") for trial in trials]
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
        ("learning_rate = 0.01", "learning_rate = 0.011"),
        ("learning_rate = 0.01", "learning_rate = 0.01\noptimizer = 'sgd'"),
        ("learning_rate = 0.01", "learning_rate = 0.01\nweight_decay = 0.1"),
        ("learning_rate = 0.01", "learning_rate = 0.01\nschedule = 'one-cycle'"),
        ("learning_rate = 0.01", f"learning_rate = 0.01\n{MULTI_STEP}"),
        ("learning_rate = 0.01", "learning_rate = 0.01\ngradient_clip = 5"),
        ("learning_rate = 0.01", "learning_rate = 0.01\nselect = 'last'"),
        ("learning_rate = 0.01", "learning_rate = 0.01\nbetas = [0.5, 0.999]"),
        (
            "learning_rate = 0.01",
            "learning_rate = 0.01\noptimizer = 'sgd'\nmomentum = 0.9",
        ),
        ("learning_rate = 0.01", "learning_rate = 0.01\nwarmup = 0.5"),
        ("learning_rate = 0.01", "learning_rate = 0.01\naccumulate = 2"),
        ("learning_rate = 0.01", "learning_rate = 0.01\nprecision = 'bf16'"),
        ("learning_rate = 0.01", "learning_rate = 0.01\npatience = 1"),
        ("seeds = [0, 1]", "seeds = [2, 3]"),
    ],
)
def test_whatever_decides_the_numbers_is_in_the_key(keys, old, new):
    assert set(keys()).isdisjoint(keys(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Two digits, one epoch, seconds.", "Something else."),
        (
            "learning_rate = 0.01",
            "learning_rate = 0.01\n[suite.tiny.resources]\ncpus = 2\ngpus = 0.5\ndevice = 'cpu'",
        ),
        ("learning_rate = 0.01", "learning_rate = 0.01\n[suite.tiny.resources]\nworkers = 2"),
        ("epochs = 1", "epochs = 1\nbetas = [0.9, 0.999]\nmomentum = 0\nwarmup = 0"),
        ("epochs = 1", "epochs = 1\naccumulate = 1\nprecision = 'float32'\npatience = 0"),
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
def test_whatever_does_not_is_no_part_of_the_key(keys, old, new):
    assert keys() == keys(old, new)


def test_a_schedule_hashes_what_it_reads_and_no_more(keys, trials):
    assert {"milestones", "decay"}.isdisjoint(trials[0].spec["training"])
    rate = "learning_rate = 0.01"
    lists = [keys(rate, f"{rate}\n{MULTI_STEP}".replace("[2]", steps)) for steps in ("[2]", "[3]")]
    lists.append(keys(rate, f"{rate}\n{MULTI_STEP}".replace("0.2", "0.5")))
    assert len({key for found in lists for key in found}) == 3 * len(lists[0])


def test_the_first_keys_are_for_ever(trials):
    # Of records that are committed: what a recipe learns to say later must not move them.
    assert trials[0].spec["training"] == {
        "epochs": 1,
        "batch_size": 64,
        "learning_rate": 0.01,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "schedule": "constant",
        "gradient_clip": 0.0,
        "select": "best",
    }


def test_a_trial_keeps_its_key_beside_others(keys):
    alone = keys("[0, 1]", "[1]")
    assert set(alone) < set(keys())


@pytest.mark.parametrize("component", [seq_digits.SeqDigits, CnnBiLSTM, CTC])
def test_the_version_of_a_component_is_in_the_key(keys, monkeypatch, component):
    before = keys("[0, 1]", "[0]")
    monkeypatch.setattr(component, "version", component.version + 1)
    after = keys("[0, 1]", "[0]")
    assert after[0] != before[0]
    assert (after[1] != before[1]) is (component is not CTC)


def test_the_data_are_in_the_key(keys, monkeypatch):
    before = keys()
    monkeypatch.setattr(seq_digits, "SHA256", "other")
    assert set(before).isdisjoint(keys())


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"version": 2}, True),
        ({"charset": "01"}, True),
        ({"unit": "word"}, True),
        ({"decoder": "beam"}, True),
        ({"name": "other"}, True),
        ({"about": "Other words."}, False),
    ],
)
def test_the_rules_of_the_protocol_are_in_the_key(trials, change, moves):
    changed = replace(trials[0], protocol=replace(protocols.find("digits"), **change))
    assert (changed.key != trials[0].key) is moves


@settings(max_examples=60)
@given(st.integers(0, 2**40), st.integers(0, 2**40), st.text(max_size=8), st.text(max_size=8))
def test_a_named_seed_is_of_its_seed_and_purpose_alone(first, second, one, other):
    recipe, protocol = suites.Recipe(1, 1, 1.0), protocols.find("digits")

    def trial(seed: int, width: int) -> grid.Trial:
        model, data = CnnBiLSTM(width=width), seq_digits.SeqDigits()
        return grid.Trial(data, model, CTC(), seed, recipe, protocol, suites.Resources())

    drawn = trial(first, 1).named_seed(one)
    assert 0 <= drawn < 2**63
    assert trial(first, 2).named_seed(one) == drawn
    assert (trial(second, 1).named_seed(other) == drawn) is ((first, one) == (second, other))


def test_seed_and_purpose_do_not_run_together(trials):
    one, twelve = (replace(trials[0], seed=seed) for seed in (1, 12))
    assert one.named_seed("23") != twelve.named_seed("3")


def test_named_seeds_fill_their_range(trials):
    drawn = [trial.named_seed(str(n)) for trial in trials[::2] for n in range(200)]
    assert max(drawn) >= 2**62
    assert min(drawn) < 2**57


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"datasets": (Lines(),)}, "dataset 'lines' gives image, model 'cnn-bilstm' reads frames"),
        ({"losses": (CrossEntropy(),)}, "emits frames, loss 'cross-entropy' scores seq2seq"),
        ({"models": (Reader(),)}, "dataset 'seq-digits' gives frames, model 'reader' reads image"),
    ],
)
def test_what_does_not_fit_is_refused(suite, change, clause):
    with pytest.raises(BenchError) as caught:
        grid.trials(replace(suite, **change))
    said = str(caught.value)
    assert said.startswith("suite 'tiny': ")
    assert clause in said
    assert "skip_incompatible = true" in said
    assert len(said.splitlines()) == 1
    assert caught.value.code == Exit.USAGE


def test_one_that_does_not_fit_among_others_is_refused(mixed):
    with pytest.raises(BenchError, match="skip_incompatible"):
        grid.trials(mixed)


def test_what_does_not_fit_is_left_out_on_demand(mixed):
    found = grid.trials(replace(mixed, skip_incompatible=True))
    assert [(t.seed, t.dataset.name, t.model.name, t.loss.name) for t in found] == [
        (seed, *names)
        for seed in (0, 1)
        for names in (("seq-digits", "cnn-bilstm", "ctc"), ("lines", "reader", "cross-entropy"))
    ]


def test_nothing_that_fits_is_an_error(suite):
    with pytest.raises(BenchError, match="suite 'tiny': no dataset, model and loss of it fit"):
        grid.trials(replace(suite, models=(Reader(),), skip_incompatible=True))


def chosen(trials, **wanted) -> list[int]:
    return [trials.index(trial) for trial in grid.select(trials, **wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"losses": ["ctc"]}, [0, 2]),
        ({"losses": ["*ctc"]}, [0, 1, 2, 3]),
        ({"losses": ["radial*"]}, [1, 3]),
        ({"losses": ["radial-ctc", "ctc"]}, [0, 1, 2, 3]),
        ({"models": ["cnn-bilstm"], "losses": ["?tc"]}, [0, 2]),
        ({"models": ["*width=2*"]}, [0, 1, 2, 3]),
        ({"models": ["cnn-bilstm(width=2, hidden=4)"]}, [0, 1, 2, 3]),
        ({"datasets": ["seq-*"], "seeds": {1}}, [2, 3]),
        ({"seeds": {0, 1}}, [0, 1, 2, 3]),
        ({"limit": 3}, [0, 1, 2]),
        ({"limit": 9}, [0, 1, 2, 3]),
        ({"losses": ["radial*"], "limit": 1}, [1]),
        ({"losses": ["radial*"], "seeds": [1], "limit": 1}, [3]),
    ],
)
def test_select(trials, wanted, expected):
    assert chosen(trials, **wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        ({"losses": ["radial-ct"]}, ["no loss", "'radial-ct'", "did you mean 'radial-ctc'?"]),
        ({"losses": ["ctc", "CTC"]}, ["no loss", "'CTC'"]),
        ({"models": ["lenetpp"]}, ["no model", "'lenetpp'", "cnn-bilstm"]),
        ({"models": ["*width=3*"]}, ["no model", "'*width=3*'"]),
        ({"datasets": ["mnist"]}, ["no dataset", "'mnist'", "seq-digits"]),
        ({"seeds": {0, 7, 5}}, ["seed 5", "0, 1", "'seeds'"]),
    ],
)
def test_what_matches_nothing_is_said(trials, wanted, parts):
    with pytest.raises(BenchError) as caught:
        grid.select(trials, **wanted)
    assert caught.value.code == Exit.NOTHING
    for part in parts:
        assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_globs_that_match_only_apart_select_nothing(mixed):
    trials = grid.trials(replace(mixed, skip_incompatible=True))
    with pytest.raises(BenchError) as caught:
        grid.select(trials, models=["reader"], losses=["ctc"])
    assert caught.value.code == Exit.NOTHING


def test_nothing_selected_ends_the_command_with_its_code(home, bench):
    answer = bench("run", "tiny", "-l", "nothing", "--dry-run")
    assert answer.code == Exit.NOTHING
    assert answer.err.startswith("bench: no loss matches 'nothing'; there is ")
    assert "radial-ctc" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (home / "results").exists()


def pairs(suite, **globs):
    found = grid.trials(grid.widened(suite, **{"models": (), "losses": (), **globs}))
    return {(trial.model.name, trial.loss.name) for trial in found}


def test_without_globs_or_with_its_own_names_a_suite_stays_as_it_is(suite):
    assert grid.widened(suite, models=(), losses=()) is suite
    assert grid.widened(suite, models=["cnn-bilstm"], losses=["radial-ctc", "c?c"]) is suite


def test_globs_add_what_a_suite_does_not_list_where_it_fits(suite):
    own = pairs(suite)
    assert pairs(suite, losses=["enctc"]) == own | {("cnn-bilstm", "enctc")}
    assert pairs(suite, losses=["ce", "ctc"], models=["cnn-attention"]) == own | {
        ("cnn-attention", "ce")
    }
    everything = pairs(suite, losses=["*"])
    assert {("cnn-bilstm", "vac"), ("cnn-bilstm", "focal-ctc")} <= everything
    assert not {loss for _, loss in everything} & {"ce", "conclr"}


def test_what_a_suite_lists_keeps_its_parameters(suite):
    listed = replace(suite, losses=(RadialCTC(eta=0.7),))
    found = grid.trials(grid.widened(listed, models=(), losses=["*ctc"]))
    assert {trial.loss for trial in found if trial.loss.name == "radial-ctc"} == {
        RadialCTC(eta=0.7)
    }


@pytest.mark.parametrize(
    ("globs", "said"),
    [
        ({"losses": ["vacc"]}, "no loss matches 'vacc'; did you mean 'vac'?"),
        ({"models": ["trocr*"]}, "no model matches 'trocr*'"),
        ({"losses": ["ce"]}, "model 'cnn-bilstm' emits frames, loss 'ce' scores seq2seq"),
    ],
)
def test_a_name_that_fits_nothing_is_refused(suite, globs, said):
    with pytest.raises(BenchError) as caught:
        grid.widened(suite, **{"models": (), "losses": (), **globs})
    assert said in str(caught.value)
    assert caught.value.code == Exit.NOTHING

"""What a recipe adds to a key, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.recipe import Recipe, Resources
from bench.core.errors import BenchError
from bench.core.schema import fill
from bench.data.augmentation.sign_language import SignLanguage

SIGNS = SignLanguage(rescale=0.1)
BASE = Recipe(epochs=3, batch_size=8, learning_rate=0.1)
CHANGES = {
    "optimizer": "sgd",
    "weight_decay": 0.1,
    "schedule": "cosine",
    "gradient_clip": 5.0,
    "select": "last",
    "betas": (0.5, 0.9),
    "warmup": 0.5,
    "accumulate": 2,
    "precision": "bf16",
    "patience": 1,
    "augmentation": SIGNS,
}


def test_a_spec_has_what_is_not_at_its_default():
    # A key that recipes gain later must leave the keys of earlier trainings as they are.
    assert BASE.spec() == {"epochs": 3, "batch_size": 8, "learning_rate": 0.1}


@pytest.mark.parametrize(("name", "value"), CHANGES.items())
def test_each_key_is_in_the_spec_once_it_is_changed(name, value):
    recipe = replace(BASE, **{name: value})
    shown = {SIGNS: SIGNS.spec()}.get(value, [*value] if isinstance(value, tuple) else value)
    assert recipe.spec() == BASE.spec() | {name: shown}
    spelled = SIGNS.toml() if value == SIGNS else shown
    assert recipe.changed() == BASE.spec() | {name: spelled}


@given(st.sets(st.sampled_from(sorted(CHANGES.keys() - {"optimizer", "betas"}))))
def test_a_recipe_is_made_again_from_what_is_changed(names):
    recipe = replace(BASE, **{name: CHANGES[name] for name in names})
    changed = recipe.changed()
    assert fill(Recipe, json.loads(json.dumps(changed))) == recipe
    assert fill(Recipe, json.loads(json.dumps(recipe.values()))) == recipe
    assert changed.keys() == recipe.spec().keys() == BASE.spec().keys() | names
    assert recipe.values().keys() == {field.name for field in fields(Recipe)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"milestones": (2,)}, "'milestones' has an effect only with schedule = 'multi-step'"),
        ({"schedule": "multi-step"}, "requires 'milestones' and a 'decay' other than 1"),
        (
            {"schedule": "multi-step", "milestones": (2, 2), "decay": 0.5},
            "must be in increasing order",
        ),
        ({"optimizer": "adadelta", "betas": (0.5, 0.9)}, "here it is 'adadelta'"),
        ({"momentum": 0.9}, "'momentum' has an effect only with optimizer = 'sgd'"),
        ({"schedule": "one-cycle", "warmup": 1.0}, "'warmup' has an effect only with schedule"),
    ],
)
def test_a_key_that_nothing_reads_is_refused(changes, message):
    with pytest.raises(BenchError, match=message):
        replace(BASE, **changes)


def test_a_training_uses_at_most_one_gpu():
    assert Resources(gpus=1.0).gpus == 1
    with pytest.raises(
        BenchError, match=r"gpus = 1\.5: a device is one GPU; set gpus = 1 and devices = 2"
    ):
        Resources(gpus=1.5)
    assert Resources(gpus=1.0, devices=4).devices == 4
    with pytest.raises(BenchError, match=r"several devices cannot share a GPU"):
        Resources(gpus=0.5, devices=2)


@pytest.mark.parametrize("name", ["checkpoint_every", "log_every"])
def test_an_interval_of_resources_is_checked(name):
    assert getattr(Resources(**{name: "5 steps"}), name) == "5 steps"
    with pytest.raises(BenchError, match=f"{name}: 'often' is not an interval"):
        Resources(**{name: "often"})


@pytest.mark.parametrize(
    ("resources", "cores", "expected"),
    [
        (Resources(workers=3), 0, 3),
        (Resources(cpus=4, workers="auto"), 0, 0),
        (Resources(cpus=4, workers="auto"), 3, 0),
        (Resources(cpus=4, workers="auto"), 13.7, 9),
        (Resources(cpus=4, workers="auto"), 96, 16),
    ],
)
def test_workers_are_counted_from_the_cores_of_a_gpu(resources, cores, expected):
    assert resources.count_workers(cores) == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"checkpoint_every": 60}, r"60 is not an interval .* write it as '500 steps'"),
        ({"workers": "many"}, r"'workers = \"many\"': expected `int`, got `str`; or set 'auto'"),
        ({"workers": -1}, r"'workers = -1': expected `int` >= 0; or set 'auto'"),
        ({"workers": 2.5}, r"'workers = 2.5': expected `int`, got `float`; or set 'auto'"),
    ],
)
def test_a_wrong_value_of_resources_is_refused_with_what_is_allowed(table, message):
    with pytest.raises(BenchError, match=message):
        fill(Resources, table)

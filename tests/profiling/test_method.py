"""What a profile is of, and for which trials it holds."""

from __future__ import annotations

import json
from dataclasses import replace

from bench.core.hashing import digest
from bench.profiling import method
from bench.profiling.hardware import Hardware

HERE = Hardware("cpu", "Example CPU", 1, 2)


def test_the_key_is_of_all_that_decides_the_figures(trials):
    ctc, radial, other_seed, _ = trials
    specs = [
        method.spec(ctc, [11, 1, 8, 8], 11, HERE),
        method.spec(radial, [11, 1, 8, 8], 11, HERE),
        method.spec(replace(ctc, model=replace(ctc.model, width=3)), [11, 1, 8, 8], 11, HERE),
        method.spec(ctc, [12, 1, 8, 8], 11, HERE),
        method.spec(ctc, [11, 1, 8, 8], 12, HERE),
        method.spec(
            replace(ctc, protocol=replace(ctc.protocol, decoder="beam")), [11, 1, 8, 8], 11, HERE
        ),
        *(
            method.spec(ctc, [11, 1, 8, 8], 11, replace(HERE, **change))
            for change in ({"threads": 2}, {"name": "Other CPU"}, {"device": "cuda"}, {"cores": 4})
        ),
    ]
    assert len({digest(spec) for spec in specs}) == len(specs)
    assert method.spec(other_seed, [11, 1, 8, 8], 11, HERE) == specs[0]
    assert json.loads(json.dumps(specs)) == specs


def test_another_method_is_another_key(trials, monkeypatch):
    before = method.spec(trials[0], [11, 1, 8, 8], 11, HERE)
    monkeypatch.setattr(method, "METHOD", method.METHOD + 1)
    assert method.spec(trials[0], [11, 1, 8, 8], 11, HERE) != before


def test_a_profile_holds_for_every_seed_of_its_own(trials, make_profile):
    profile = make_profile(trials[0])
    assert [method.covers(profile, trial.spec) for trial in trials] == [True, False, True, False]


def test_a_profile_holds_for_nothing_that_moved(trials, make_profile, monkeypatch):
    profile, trial = make_profile(trials[0]), trials[0]
    for moved in (
        replace(trial, dataset=replace(trial.dataset, digits=3)),
        replace(trial, model=replace(trial.model, width=3)),
        replace(trial, protocol=replace(trial.protocol, decoder="beam")),
    ):
        assert not method.covers(profile, moved.spec)
    recipe = replace(trial.training, epochs=2)
    assert method.covers(profile, replace(trial, training=recipe).spec)
    monkeypatch.setattr(method, "METHOD", method.METHOD + 1)
    assert not method.covers(profile, trial.spec)

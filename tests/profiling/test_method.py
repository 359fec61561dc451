"""The keys of profiles, and the evaluations that a profile covers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.core.hashing import digest
from bench.core.model_input import FrameInput
from bench.decoding.beam import BeamDecoder
from bench.evaluation.protocols.words import STR_36
from bench.profiling import method
from bench.profiling.hardware import Hardware

HERE = Hardware("cpu", "Example CPU", 1, 2)
SHAPE = [11, 1, 8, 8]


def with_training(evaluation, **changes):
    return replace(evaluation, training=replace(evaluation.training, **changes))


def covers(profile, evaluation):
    return method.profile_covers(profile, evaluation.spec, evaluation.training.spec)


def test_the_key_depends_on_everything_that_affects_latencies(evaluations):
    ctc, radial, other_seed, _ = evaluations
    wider = with_training(ctc, model=replace(ctc.training.model, width=3))
    specs = [
        method.profile_spec(ctc, SHAPE, 11, HERE),
        method.profile_spec(radial, SHAPE, 11, HERE),
        method.profile_spec(wider, SHAPE, 11, HERE),
        method.profile_spec(ctc, [12, 1, 8, 8], 11, HERE),
        method.profile_spec(ctc, SHAPE, 12, HERE),
        method.profile_spec(replace(ctc, decoder=BeamDecoder()), SHAPE, 11, HERE),
        method.profile_spec(replace(ctc, decoder=BeamDecoder(width=3)), SHAPE, 11, HERE),
        *(
            method.profile_spec(ctc, SHAPE, 11, replace(HERE, **change))
            for change in ({"threads": 2}, {"name": "Other CPU"}, {"device": "cuda"}, {"cores": 4})
        ),
        *(
            method.profile_spec(ctc, SHAPE, 11, replace(HERE, **change))
            for change in ({"driver": "580"}, {"cuda": "13.2"}, {"power_limit": 700})
        ),
    ]
    assert len({digest(spec) for spec in specs}) == len(specs)
    assert method.profile_spec(other_seed, SHAPE, 11, HERE) == specs[0]
    assert json.loads(json.dumps(specs)) == specs


def test_another_method_gives_another_key(evaluations, monkeypatch):
    before = method.profile_spec(evaluations[0], SHAPE, 11, HERE)
    monkeypatch.setattr(method, "METHOD", method.METHOD + 1)
    assert method.profile_spec(evaluations[0], SHAPE, 11, HERE) != before


def test_a_profile_covers_every_seed_of_its_entry(evaluations, make_profile):
    profile = make_profile(evaluations[0])
    assert [covers(profile, each) for each in evaluations] == [True, False, True, False]


@pytest.mark.parametrize("part", ["test", "model", "decoder", "input", "data", "alphabet"], ids=str)
def test_a_profile_does_not_cover_other_components_or_inputs(evaluations, make_profile, part):
    profile, evaluation = make_profile(evaluations[0]), evaluations[0]
    data = replace(evaluation.test, digits=3)
    changed = {
        "test": replace(evaluation, test=data),
        "decoder": replace(evaluation, decoder=BeamDecoder()),
        "model": with_training(evaluation, model=replace(evaluation.training.model, width=3)),
        "input": with_training(evaluation, input=FrameInput(size=16)),
        "data": with_training(evaluation, data=(data,)),
        "alphabet": with_training(evaluation, alphabet=STR_36),
    }[part]
    assert covers(profile, evaluation)
    assert not covers(profile, changed)


def test_a_recipe_and_a_protocol_change_no_latency(evaluations, make_profile):
    profile, evaluation = make_profile(evaluations[0]), evaluations[0]
    recipe = replace(evaluation.training.recipe, epochs=2)
    assert covers(profile, with_training(evaluation, recipe=recipe))
    assert covers(profile, replace(evaluation, protocol=STR_36))


def test_a_profile_of_another_method_covers_nothing(evaluations, make_profile, monkeypatch):
    profile = make_profile(evaluations[0])
    monkeypatch.setattr(method, "METHOD", method.METHOD + 1)
    assert not covers(profile, evaluations[0])

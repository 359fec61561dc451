"""Sweeps on a real Ray cluster on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bench.config import bench_toml as config
from bench.execution.ray import connect
from bench.sweeps import report, swept_trial, tune
from bench.sweeps.study import Study
from bench.sweeps.sweep import sweep_of
from bench.sweeps.swept_trial import SweptTrial
from bench.sweeps.watchdog import Watchdog

SWEEP = """
[suite.tiny.sweep]
loss = "ctc"
trials = 3
sampler = "random"
scheduler = "asha"
grace_period = 1
reduction_factor = 2

[suite.tiny.sweep.space]
recipe.learning_rate = { loguniform = [1e-3, 1e-1] }
model.hidden = { randint = [2, 9] }
"""


@pytest.fixture
def tiny(home):
    """Return a sweep of the suite `tiny`, of two epochs."""
    file = home / "bench.toml"
    text = file.read_text().replace("epochs = 1", "epochs = 2")
    file.write_text(text + SWEEP)
    return sweep_of(config.load(file).suite("tiny"))


def run(study):
    """Run what is left of a study; return the numbers of the trials that ended."""
    study.prepare()
    ended = []
    tune.run(study, ended.append, interrupted=bool)
    return [trial.number for trial in ended]


@pytest.mark.slow
def test_an_interrupted_sweep_goes_on_and_repeats_nothing(tiny, home):
    study = Study(tiny, home / "results")
    study.prepare()
    ended = []
    with pytest.raises(KeyboardInterrupt), connect():
        tune.run(study, ended.append, lambda: len(ended) > 0)
    first = ended[0]
    file = study.root / "trials" / f"{first.key}.json"
    written = file.stat().st_mtime_ns

    with connect():
        later = run(study)
    assert sorted([first.number, *later]) == [1, 2, 3]
    assert file.stat().st_mtime_ns == written
    assert study.left() == 0
    # What was drawn is what an uninterrupted sweep of this seed draws.
    assert [trial.params for trial in study.trials()] == tune.random_points(tiny)


@pytest.mark.parametrize("done", [0, 1, 5])
def test_no_point_is_suggested_twice_and_the_whole_space_is(tiny, home, done):
    space = {"model": {"hidden": {"choice": [4, 6]}, "width": {"randint": [2, 5]}}}
    table = replace(tiny.table, space=space, trials=9, sampler="tpe")
    study = Study(replace(tiny, table=table), home / "results")
    study.prepare()
    for hidden, width in [(4, 2), (6, 2), (4, 3), (6, 3), (4, 4)][:done]:
        begun = study.begin({"model.hidden": hidden, "model.width": width})
        study.keep(replace(begun, state="done", scores=[hidden / width]))
    search = tune._searcher(study, study.trials())
    points = [trial.params for trial in study.trials()]
    for number in range(6 - done):
        points.append(search.suggest(str(number)))
        search.on_trial_complete(str(number), {"score": 0.5})
    assert {tuple(point.values()) for point in points} == {
        (h, w) for h in (4, 6) for w in (2, 3, 4)
    }
    assert search.suggest("more") == "FINISHED"


def moody(tiny, faulty, moods, **changes):
    """Return a sweep whose trials are in one mood or another."""
    space = {"model": {"mood": {"choice": moods}}}
    base = replace(tiny.base, model=faulty.Moody(width=2, hidden=4))
    return replace(tiny, table=replace(tiny.table, space=space, **changes), base=base)


def by_mood(study):
    return {trial.params["model.mood"]: trial for trial in study.trials()}


@pytest.mark.slow
def test_a_trial_that_raises_or_exits_fails_alone_and_what_ended_stays_so(tiny, home, faulty):
    moods = ["", "raises", "exits"]
    some = Study(moody(tiny, faulty, moods, trials=2, scheduler="fifo"), home / "results")
    every = Study(moody(tiny, faulty, moods, trials=9, scheduler="fifo"), home / "results")
    with connect():
        first = run(some)
        written = {file: file.stat().st_mtime_ns for file in some.root.glob("trials/*.json")}
        later = run(every)
    assert sorted(first) == [1, 2]
    assert sorted(later) == [3], "the space has three points"
    assert all(file.stat().st_mtime_ns == moment for file, moment in written.items())
    tried = by_mood(every)
    assert tried["raises"].message == "RuntimeError: the disk is on fire"
    assert tried["exits"].message.startswith("its process exited with code 7")
    assert tried["raises"].state == tried["exits"].state == "failed"
    assert {trial.state for trial in every.trials()} == {"done", "failed"}
    assert report.report_of(every).best in {
        trial.key for trial in every.trials() if trial.state == "done"
    }
    assert every.left() == 0
    record = every.store.record(every.sweep.training(tried[""].params))
    assert tried[""].scores == [epoch.validation_ler for epoch in record.curve]
    assert not every.store.records("evaluation"), "a sweep has read a test set"


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended(tiny, home, faulty):
    odd = moody(tiny, faulty, ["", "hangs"], trials=2, heartbeat_timeout=25.0)
    study = Study(odd, home / "results")
    with connect():
        run(study)
    tried = by_mood(study)
    assert tried[""].state == "done"
    assert tried["hangs"].state == "failed"
    assert "hung" in tried["hangs"].message
    folder = study.store.folder(odd.training(tried["hangs"].params))
    assert "in build" in (folder / "hung.txt").read_text()


def test_the_watchdog_ends_a_process_whose_native_code_hangs(tmp_path):
    program = (
        "import sys, pathlib, ctypes\n"
        "from bench.sweeps.watchdog import Watchdog\n"
        "dog = Watchdog(pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))\n"
        "dog.reset()\n"
        "def stuck(): ctypes.PyDLL(None).sleep(30)\n"
        "stuck()\n"
    )
    for number, (timeout, limit) in enumerate([("0.2", "inf"), ("60", "0.2")]):
        file = tmp_path / f"{number}.txt"
        words = [sys.executable, "-c", program, str(file), timeout, limit]
        began = time.monotonic()
        assert subprocess.run(words, capture_output=True).returncode == 1
        assert time.monotonic() - began < 29
        assert "in stuck" in file.read_text()


def test_a_stopped_watchdog_leaves_nothing(tmp_path):
    dog = Watchdog(tmp_path / "hung.txt", 0.1, 0.1)
    dog.reset()
    dog.stop()
    time.sleep(0.2)
    assert list(tmp_path.iterdir()) == []


def test_a_trial_that_runs_out_of_patience_is_done(tiny, store, monkeypatch):
    # Only a worker of Ray has any.
    monkeypatch.setattr(swept_trial, "assigned_gpus", list)
    recipe = replace(tiny.base.recipe, epochs=9, learning_rate=1e-9, patience=1)
    resources = replace(tiny.base.resources, device="cpu")
    stepped = object.__new__(SweptTrial)
    base = replace(tiny.base, recipe=recipe, resources=resources)
    stepped.setup({}, base=base, store=store, heartbeat_timeout=600.0)
    steps = [stepped.step()]
    while not steps[-1].get("done"):
        steps.append(stepped.step())
    stepped.cleanup()
    curve = store.record(base).curve
    assert len(curve) < 9
    assert [step["validation"] for step in steps] == [*range(1, len(curve) + 1), len(curve)]
    assert steps[-1]["state"] == "done"

"""Sweeps on a real Ray cluster on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bench import config
from bench.execution.ray import connect
from bench.sweeps import report, sweep, tune
from bench.sweeps.study import Study
from bench.sweeps.swept_trial import Watchdog

SWEEP = """
[suite.tiny.sweep]
loss = "ctc"
trials = 3
sampler = "random"
grace = 1
reduction = 2

[suite.tiny.sweep.space]
training.learning_rate = { loguniform = [1e-3, 1e-1] }
model.hidden = { randint = [2, 9] }
"""


@pytest.fixture
def tiny(home):
    """Return a sweep of the suite `tiny`, of two epochs."""
    file = home / "bench.toml"
    text = file.read_text().replace("epochs = 1", "epochs = 2")
    file.write_text(text + SWEEP)
    return sweep.of(config.load(file).suite("tiny"))


def run(study, **changes):
    """Run what is left of a study on a cluster of its own; return the trials that ended."""
    study.prepare()
    ended = []
    with connect():
        tune.run(study, ended.append, **({"interrupted": bool} | changes))
    return [tried.number for tried in ended]


def test_an_interrupted_sweep_goes_on_and_repeats_nothing(tiny, home):
    study = Study(tiny, home / "results")
    study.prepare()
    ended = []
    with pytest.raises(KeyboardInterrupt), connect():
        tune.run(study, ended.append, lambda: len(ended) > 0)
    first = ended[0]
    written = (study.root / "trials" / f"{first.key}.json").stat().st_mtime_ns

    later = run(study)
    assert first.number not in later
    assert (study.root / "trials" / f"{first.key}.json").stat().st_mtime_ns == written
    tried = study.tried()
    assert [one.number for one in tried] == [1, 2, 3]
    assert all(one.state in {"done", "stopped"} for one in tried)
    assert study.left() == 0
    # What was drawn is what an uninterrupted sweep of this seed draws.
    assert [one.params for one in tried] == tune.points(tiny)

    found = report.of(study)
    best = next(one for one in tried if one.key == found.best)
    record = study.store.record(tiny.trial(best.params))
    assert best.scores == [epoch.validation_cer for epoch in record.curve]
    assert [*record.metrics] == ["validation"], "a sweep has looked at the test split"
    assert min(best.scores) == min(min(one.scores) for one in tried if one.state == "done")

    larger = Study(replace(tiny, table=replace(tiny.table, trials=4)), home / "results")
    assert larger.root == study.root
    assert run(larger) == [4]


def moody(tiny, faulty, moods, **changes):
    """Return a sweep whose trials are in one mood or another."""
    space = {
        "dataset": {"mood": {"choice": moods}},
        "training": {"learning_rate": {"choice": [1e-2, 2e-2]}},
    }
    base = replace(tiny.base, dataset=faulty.Moody(digits=2, rounds=1))
    return replace(tiny, table=replace(tiny.table, space=space, **changes), base=base)


def by_mood(study):
    return {one.params["dataset.mood"]: one for one in study.tried()}


def test_a_trial_that_raises_or_exits_fails_alone(tiny, home, faulty):
    study = Study(moody(tiny, faulty, ["", "raises", "exits"], trials=6), home / "results")
    run(study)
    tried = by_mood(study)
    assert tried[""].state == "done"
    assert tried["raises"].message == "RuntimeError: the disk is on fire"
    assert tried["exits"].message == "its worker ended"
    assert tried["raises"].state == tried["exits"].state == "failed"
    assert report.of(study).best == tried[""].key
    assert study.left() == 0


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended(tiny, home, faulty):
    odd = moody(tiny, faulty, ["", "hangs"], trials=4, silence=25.0)
    study = Study(odd, home / "results")
    run(study)
    tried = by_mood(study)
    assert tried[""].state == "done"
    assert tried["hangs"].state == "failed"
    assert "hung" in tried["hangs"].message
    folder = study.store.folder(odd.trial(tried["hangs"].params))
    assert "in build" in (folder / "hung.txt").read_text()


def test_the_watchdog_ends_a_process_whose_native_code_hangs(tmp_path):
    program = (
        "import sys, pathlib, ctypes\n"
        "from bench.sweeps.swept_trial import Watchdog\n"
        "dog = Watchdog(pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))\n"
        "dog.hear()\n"
        "def stuck(): ctypes.PyDLL(None).sleep(30)\n"
        "stuck()\n"
    )
    for number, (silence, limit) in enumerate([("0.2", "inf"), ("60", "0.2")]):
        file = tmp_path / f"{number}.txt"
        words = [sys.executable, "-c", program, str(file), silence, limit]
        began = time.monotonic()
        assert subprocess.run(words, capture_output=True).returncode == 1
        assert time.monotonic() - began < 29
        assert "in stuck" in file.read_text()


def test_a_watchdog_at_rest_leaves_nothing(tmp_path):
    dog = Watchdog(tmp_path / "hung.txt", 0.1, 0.1)
    dog.hear()
    dog.rest()
    time.sleep(0.2)
    assert list(tmp_path.iterdir()) == []

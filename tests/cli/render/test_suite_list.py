"""`bench ls`: what each suite lacks, what is left to run, and what that may cost."""

from __future__ import annotations

import json

import pytest

from bench.cli.render.suite_list import suite_list, suites_json
from bench.config import bench_toml
from bench.core.text_table import draw
from bench.trials.readiness import readiness

MORE = """
[suite.mnist]
about = "Needs data."
protocol = "digits"
train = [{ name = "seq-mnist", synthetic = true }]
tests = [{ name = "seq-mnist", synthetic = true }, "seq-digits"]
models = ["cnn-bilstm"]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 8, learning_rate = 0.1 }

[suite.readers]
about = "Needs a package."
protocol = "str-36"
tests = [{ name = "iiit5k", synthetic = true }]
recognizers = [
    { predictions = "predictions.csv" },
    { weights = "package:no-such-package/a.pth", mapping = "nano-ocr", label = "absent" },
]

[suite.wrong]
about = "Cannot be read."
protocol = "digits"
datasets = ["seq-digits"]
models = [{ name = "cnn-bilstm", hidden = 0 }]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 8, learning_rate = 0.1 }
"""


@pytest.fixture
def listed(home, monkeypatch, store):
    """Return a function that lists the suites of the working folder."""
    monkeypatch.setenv("BENCH_DATA", str(home / "data"))

    def suites():
        config = bench_toml.load(home / "bench.toml")
        return config.tables, [*readiness(config, store)]

    return suites


def test_what_is_left_to_run_has_a_price_once_there_is_a_record(listed, finish, trials):
    assert suites_json(*listed())["tiny"] == {
        "about": "Two digits, one epoch, seconds.",
        "state": "ready",
        "missing": {},
        "fault": "",
        "needs": [],
        "unavailable": {},
        "to_run": 8,
        "core_seconds": None,
        "gpu_seconds": None,
    }
    header, row = draw(suite_list(*listed())).splitlines()
    assert header.split() == [
        *("suite", "state", "cost", "tests", "models", "losses"),
        *("decoders", "recognizers", "seeds", "about"),
    ]
    assert row.split("  ")[0] == "tiny"
    assert "  no estimate yet  " in row
    assert row.endswith("  Two digits, one epoch, seconds.")
    finish(trials[:1])
    values = suites_json(*listed())["tiny"]
    assert (values["state"], values["to_run"]) == ("ready", 6)
    # Three trainings of 11.5 s and three evaluations of half a second, as the records have it.
    assert values["core_seconds"] == 3 * 11.5 + 1.5
    assert "  0.6 core min  " in draw(suite_list(*listed()))
    finish(trials)
    assert suites_json(*listed())["tiny"]["state"] == "done"


def test_what_a_suite_lacks_is_below_it(listed, home):
    (home / "predictions.csv").write_text("id,text\n")
    (home / "bench.toml").write_text((home / "bench.toml").read_text() + MORE)
    values = suites_json(*listed())
    assert json.loads(json.dumps(values)) == values
    assert {name: each["state"] for name, each in values.items()} == {
        "tiny": "ready",
        "mnist": "needs data",
        "readers": "needs data",
        "wrong": "cannot run",
    }
    assert values["mnist"]["needs"] == [
        {
            "data": "seq-mnist-synthetic",
            "run": "bench data synth seq-mnist --out DIR, then "
            "bench data prepare seq-mnist --source DIR",
        }
    ]
    assert "pip install 'no-such-package'" in values["readers"]["unavailable"]["absent"]
    text = draw(suite_list(*listed()))
    assert "needs data: seq-mnist-synthetic\n" in text
    assert "not installed: absent (`bench status readers` shows how)\n" in text
    assert "cannot run: " in text
    assert "hidden = 0" in text
    assert "\nseq-mnist-synthetic  bench data synth seq-mnist --out DIR, then" in text


def test_a_suite_is_planned_as_far_as_its_data_are_prepared(listed, home, bench):
    (home / "predictions.csv").write_text("id,text\n")
    (home / "bench.toml").write_text((home / "bench.toml").read_text() + MORE)
    run = bench("run", "mnist")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("bench: dataset 'seq-mnist-synthetic' is not prepared")
    for words in (["status", "mnist"], ["run", "mnist", "--dry-run"]):
        answer = bench(*words, "--json")
        assert answer.code == 0
        tasks = json.loads(answer.out)["tasks"]
        assert [(task["kind"], task["state"], task["key"]) for task in tasks] == [
            ("training", "needs data", None),
            ("evaluation", "needs data", None),
            ("evaluation", "needs data", None),
        ]
        assert "trainings: 1 needs data; evaluations: 2 needs data\n" in answer.err
        assert "needs data seq-mnist-synthetic: bench data synth seq-mnist" in answer.err
    readers = json.loads(bench("status", "readers", "--json").out)
    assert [task["state"] for task in readers["tasks"]] == ["needs data"]


def test_only_the_test_set_that_is_not_prepared_waits(listed, home, bench):
    text = MORE.replace(
        'train = [{ name = "seq-mnist", synthetic = true }]', 'train = ["seq-digits"]'
    )
    (home / "predictions.csv").write_text("id,text\n")
    (home / "bench.toml").write_text((home / "bench.toml").read_text() + text)
    answer = bench("run", "mnist", "--dry-run", "--json")
    plan = json.loads(answer.out)
    assert plan["to_run"] == {"trainings": 1, "evaluations": 1}
    assert [task["state"] for task in plan["tasks"]] == ["to do", "to do", "needs data"]
    assert "1 evaluation to run: no estimate yet, 1 more once their data are prepared" in answer.err

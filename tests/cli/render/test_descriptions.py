"""What the verbs print: each text holds what its reader came for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bench.evaluation.metrics.error_rates import ErrorRates

from bench.cli.render import descriptions as views
from bench.config import bench_toml as config
from bench.core import registry
from bench.trials import plan
from bench.trials import store as disk
from bench.trials.plan import Entry
from bench.trials.store import Attempt, Failure

RATES = {"correct": 3, "samples": 8, "edits": 5, "length": 16}


def failure(trial, message: str = "ValueError: no") -> Failure:
    return Failure(
        key=trial.key,
        spec=trial.spec,
        labels=trial.labels,
        seed=trial.seed,
        attempts=[Attempt("error", message, "2025-11-21T08:00:00+00:00")],
    )


@pytest.fixture
def record(trials, make_record):
    return make_record(trials[0], **RATES)


@pytest.fixture
def entries(trials, record, make_record) -> list[Entry]:
    """Return one entry of each state."""
    older = make_record(replace(trials[2], model=replace(trials[2].model, width=9)), **RATES)
    return [
        Entry(trials[0], record=record),
        Entry(trials[1], failure=failure(trials[1])),
        Entry(trials[2], stale=older),
        Entry(trials[3]),
    ]


def test_status_lists_every_trial(entries):
    header, *lines = views.status(entries).splitlines()
    assert header.split() == ["state", "key", "dataset", "model", "loss", "seed", "accuracy", "%"]
    for line, entry in zip(lines, entries, strict=False):
        assert line.startswith(f"{entry.state}  ")
        assert entry.trial.key in line
        assert f" {entry.trial.loss.name} " in line
        assert "cnn-bilstm " in line
        assert "seq-digits " in line
    assert lines[0].split()[-2:] == ["0", "37.50"]
    assert "37.50" not in "".join(lines[1:])
    assert lines[4:] == ["", "1 done, 1 failed, 1 stale, 1 to do"]


def test_status_says_why_on_demand(entries):
    assert "width" not in views.status(entries)
    header, *lines = views.status(entries, why=True).splitlines()
    assert header.endswith("why")
    assert lines[0].endswith("37.50")
    assert lines[1].endswith("error: ValueError: no")
    assert lines[2].endswith("model.parameters.width: 9 → 2")
    assert lines[1].index("error:") == lines[2].index("model.") == header.index("why")


def test_status_has_a_line_for_each_trial_whatever_its_failure_says(trials):
    said = failure(trials[0], "RuntimeError: CUDA error\nCompile with TORCH_USE_CUDA_DSA\n")
    drawn = views.status([Entry(trials[0], failure=said), Entry(trials[1])], why=True)
    table, counts = drawn.split("\n\n")
    assert len(table.splitlines()) == 3
    assert "CUDA error" in table
    assert counts == "1 failed, 1 to do"


def test_status_tells_models_of_one_name_apart(trials):
    wider = replace(trials[0], model=replace(trials[0].model, width=3))
    drawn = views.status([Entry(trials[0]), Entry(wider)])
    assert "cnn-bilstm(width=2, hidden=4)" in drawn
    assert "cnn-bilstm(width=3, hidden=4)" in drawn


def test_states_are_json(entries):
    states = views.states(entries)
    assert json.loads(json.dumps(states)) == states
    assert [state["state"] for state in states] == ["done", "failed", "stale", "to do"]
    assert states[1] == {
        "key": entries[1].trial.key,
        "state": "failed",
        "dataset": "seq-digits(digits=2, rounds=1)",
        "model": "cnn-bilstm(width=2, hidden=4)",
        "loss": "radial-ctc",
        "seed": 0,
        "tuned": False,
        "why": "error: ValueError: no",
    }


def test_a_dry_run_says_what_it_may_cost(entries):
    # One stale trial like a record of 12 s, one failed and one new at the mean of 12 s.
    drawn = views.dry_run(entries, [e for e in entries if not e.record])
    assert drawn.startswith(views.status(entries))
    assert drawn.endswith(" By earlier records they cost about 0.6 core-minutes.")


def test_a_dry_run_without_records_says_so(entries):
    drawn = views.dry_run([entries[1], entries[3]], [entries[1], entries[3]])
    assert drawn.endswith(" No record tells yet what they cost.")
    assert plan.price([entries[1]], [entries[1]]) is None


def test_a_record_tells_its_scores_curve_and_origin(record):
    rates = {"validation": ErrorRates(1000, 250, 3, 4, {}), "test": ErrorRates(8, 3, 5, 16, {})}
    rates["test"] = replace(rates["test"], excluded={"empty reference": 2, "other": 5})
    found = replace(record, metrics=rates)
    worst = [["a-b", "12", "9876", "4"], ["c", "漢", "", "1"]]
    drawn = views.record(found, Path("results/x"), worst)
    title, scores, curve, samples, origin = drawn.split("\n\n")
    assert title == (
        "seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · ctc · seed 0\n"
        f"{record.key}  results/x"
    )
    assert [line.split() for line in scores.splitlines()] == [
        ["split", "accuracy", "CER", "samples", "excluded"],
        ["validation", "25.00%", "75.00%", "1,000", "0"],
        ["test", "37.50%", "31.25%", "8", "7"],
    ]
    assert [line.split() for line in curve.splitlines()] == [
        ["epoch", "loss", "validation", "LER"],
        ["1", "2.5000", "75.00%"],
        ["2", "*", "1.2500", "50.00%"],
        ["*", "the", "weights", "that", "were", "tested"],
    ]
    assert [line.split() for line in samples.splitlines()] == [
        ["worst", "samples", "reference", "read", "as", "edits"],
        ["a-b", "12", "9876", "4"],
        ["c", "漢", "1"],
    ]
    for part in (
        "12,345 parameters; 12.0 s in all: 10.0 training, 1.0 validation, 0.5 test",
        "commit 0123456789abcdef0123456789abcdef01234567, bench 0.1.0, Python 3.11.7, torch 2.8.0",
        "Example CPU @ 2.50GHz, 1 of 8 cores, 2025-11-21T08:00:00+00:00",
    ):
        assert part in origin.splitlines()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"dirty": True}, "01234567 with changed files, bench"),
        ({"commit": None}, "commit unknown, bench"),
        ({"gpu": "Some GPU"}, "\nSome GPU, 1 of 8 cores"),
    ],
)
def test_a_record_tells_its_origin_as_it_was(record, change, part):
    found = replace(record, provenance=replace(record.provenance, **change))
    assert part in views.record(found, Path("x"), [])
    assert part not in views.record(record, Path("x"), [])


def test_a_failure_tells_why_and_where_to_read_on(trials):
    folder = Path("results") / "x"
    assert views.failure(failure(trials[1]), folder) == (
        "seq-digits(digits=2, rounds=1) · cnn-bilstm(width=2, hidden=4) · radial-ctc · seed 0\n"
        f"{trials[1].key}  results/x\n\n"
        "failed at 2025-11-21T08:00:00+00:00 (error): ValueError: no\n"
        f"The whole story of the last attempt: {folder / disk.LOG}"
    )


def test_suites_are_listed_with_their_sizes(home):
    header, line = views.suites(config.load(home / "bench.toml")).splitlines()
    assert header.split() == ["suite", "datasets", "models", "losses", "seeds", "about"]
    assert line.split(maxsplit=5) == ["tiny", "1", "1", "2", "2", "Two digits, one epoch, seconds."]


@pytest.mark.parametrize("kind", ["dataset", "model", "loss"])
def test_components_are_listed_with_their_parameters(kind):
    known = registry.builtin(kind)
    drawn = views.components(kind, known.values())
    lines = drawn.splitlines()
    assert lines[0].startswith(kind)
    for name, component in known.items():
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{name} "))
        assert lines[place].endswith(component.summary())
        for parameter, default in component.defaults().items():
            assert f"{parameter} = {default}" in "".join(lines[place + 1 : place + 3])


def test_a_component_without_parameters_takes_one_line():
    lines = views.components("loss", [registry.find("loss", "ctc")]).splitlines()
    assert len(lines) == 2


def test_profiles_tell_their_latencies(trials, make_profile):
    drawn = views.profiles([make_profile(trials[0]), make_profile(trials[1])])
    header, first, second, _, said = drawn.splitlines()
    latencies = "1.00 / 1.50 2.00 / 3.00 3.00 / 4.50 4.00 / 6.00"
    figures = "b1 logits    b1 labels   b24 logits   b24 labels"
    assert header.endswith(figures)
    assert header.split()[:5] == ["model", "loss", "input", "parameters", "MACs"]
    assert first.split()[:6] == ["cnn-bilstm", "ctc", "11×1×8×8", "1,234", "7.20", "M"]
    assert second.split()[1] == "radial-ctc"
    for line in (first, second):
        assert line.split()[6:] == latencies.split()
    assert said == ("Milliseconds a batch of 1 and of 24, p50 / p90, on Example CPU, 1 of 2 cores.")


def test_an_invalid_latency_is_never_a_number(trials, make_profile):
    drawn = views.profiles([make_profile(trials[0], reason="others were busy")])
    assert drawn.splitlines()[1].split()[6:] == ["–"] * 4
    for figure in ("b1 logits", "b1 labels", "b24 logits", "b24 labels"):
        said = f"cnn-bilstm(width=2, hidden=4) × ctc, {figure}: others were busy."
        assert f"No latency of {said}" in drawn.splitlines()


def test_without_profiles_that_is_said():
    assert views.profiles([]) == "There is no profile."


def test_measured_profiles_are_json_with_the_number_of_samples(trials, make_profile):
    (found,) = views.measured([make_profile(trials[0])])
    assert json.loads(json.dumps(found)) == found
    assert found["macs"] == 7_204_192
    assert found["figures"][1] == {
        "batch": 1,
        "decoded": True,
        "p50": 2.0,
        "p90": 3.0,
        "valid": True,
        "reason": "",
        "samples": 2,
    }


def test_a_record_tells_its_profiles(record, trials, make_profile):
    measured = [make_profile(trials[0], name) for name in ("A", "B")]
    drawn = views.record(record, Path("x"), [], measured)
    for profile in measured:
        assert views.profiles([profile]) in drawn

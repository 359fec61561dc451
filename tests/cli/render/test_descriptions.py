"""What the verbs print: plans, suites, components and profiles as text and as JSON values."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.cli.render import descriptions
from bench.core import registry
from bench.core.text_table import draw
from bench.trials import plan
from bench.trials import store as disk
from bench.trials.plan import Plan
from bench.trials.records import Attempt, Failure, Throughput


def fail(store, task, message: str = "ValueError: no") -> None:
    attempts = [Attempt("error", message, "2025-11-21T08:00:00+00:00")]
    failure = Failure(task.key, task.spec, task.labels, task.seed, attempts)
    disk.write(store.begin(task) / disk.FAILURE, failure)


@pytest.fixture
def current(trials, store, finish, leave) -> Plan:
    """Return a plan with a training of each state; the first trial is done."""
    finish(trials[:1])
    fail(store, trials[1].trainings[0])
    training = trials[2].trainings[0]
    leave(replace(training, model=replace(training.model, width=9)))
    return plan.make_plan(trials, store)


def test_status_lists_every_task(current):
    header, *lines = draw(descriptions.status(current)).splitlines()
    assert header.split() == ["state", "kind", "key", "entry", "seed", "accuracy", "%"]
    tasks = [task for trial in current.trials for task in trial.tasks]
    for line, task in zip(lines, tasks, strict=False):
        status = current.statuses[task.key]
        assert line.startswith(f"{status.state} ")
        assert task.key in line
        assert f" {task.kind} " in line
        assert f"cnn-bilstm · {task.training.loss.name} " in line
    assert lines[1].split()[-2:] == ["0", "50.00"]
    assert "50.00" not in "".join([lines[0], *lines[2:]])
    assert lines[8:] == [
        "",
        "trainings: 1 done, 1 failed, 1 stale, 1 to do; evaluations: 1 done, 3 to do",
    ]


def test_status_says_why_on_demand(current):
    assert "width" not in draw(descriptions.status(current))
    header, *lines = draw(descriptions.status(current, why=True)).splitlines()
    assert header.endswith("why")
    assert lines[2].endswith("error: ValueError: no")
    assert lines[4].endswith("model.parameters.width: 9 → 2")
    assert lines[2].index("error:") == lines[4].index("model.") == header.index("why")


def test_status_has_a_line_per_task_whatever_its_failure_says(trials, store):
    fail(
        store, trials[0].trainings[0], "RuntimeError: CUDA error\nCompile with TORCH_USE_CUDA_DSA\n"
    )
    text = draw(descriptions.status(plan.make_plan(trials[:2], store), why=True))
    table, counts = text.split("\n\n")
    assert len(table.splitlines()) == 5
    assert "CUDA error" in table
    assert counts == "trainings: 1 failed, 1 to do; evaluations: 2 to do"


def test_a_plan_is_json(current):
    missing = current.missing()
    values = descriptions.plan_json(current, missing)
    assert json.loads(json.dumps(values)) == values
    assert values["to_run"] == {"trainings": 3, "evaluations": 3}
    assert values["core_seconds"] == {"trainings": 3 * 11.5, "evaluations": 1.5}
    assert values["gpu_seconds"] == {"trainings": 0.0, "evaluations": 0.0}
    trainings = [task for task in values["tasks"] if task["kind"] == "training"]
    assert [task["state"] for task in trainings] == ["done", "failed", "stale", "to do"]
    assert trainings[1] == {
        "kind": "training",
        "key": current.trials[1].trainings[0].key,
        "state": "failed",
        "to_run": True,
        "data": "seq-digits(digits=2, rounds=1)",
        "model": "cnn-bilstm(width=2, hidden=4)",
        "loss": "radial-ctc",
        "seed": 0,
        "why": "error: ValueError: no",
        "live": None,
    }


def test_a_dry_run_says_what_it_may_cost(current):
    text = draw(descriptions.dry_run(current, current.missing()))
    assert text.startswith(draw(descriptions.status(current, why=True)))
    assert text.splitlines()[-2:] == [
        "3 trainings to run: about 0.6 core-minutes by earlier records",
        "3 evaluations to run: about 0.0 core-minutes by earlier records",
    ]


def test_a_dry_run_without_records_says_so(trials, store):
    current = plan.make_plan(trials[:1], store)
    assert draw(descriptions.dry_run(current, current.missing())).splitlines()[-2:] == [
        "1 training to run: no estimate yet",
        "1 evaluation to run: no estimate yet",
    ]


def test_evaluations_have_all_metrics_of_their_protocol(current):
    header, row = draw(descriptions.evaluations(current)).splitlines()
    for title in ("accuracy %", "CER %"):
        assert title in header
    assert "seq-digits(digits=2, rounds=1)" in row
    assert "50.00" in row
    assert "12.50" in row


def test_protocols_metrics_and_recipes_are_listed(home):
    from bench.evaluation.metrics import all_metrics
    from bench.evaluation.protocols import PROTOCOLS

    text = draw(descriptions.protocols(PROTOCOLS.values()))
    assert "metrics: sequence-accuracy, cer" in text
    lines = draw(descriptions.metrics(all_metrics().values())).splitlines()
    assert ["cer", "CER", "%", "lower"] in [line.split() for line in lines]
    assert "slow    epochs = 3" in draw(descriptions.recipes({"slow": {"epochs": 3}}))


@pytest.mark.parametrize("kind", ["dataset", "model", "loss", "decoder"])
def test_components_are_listed_with_their_parameters(kind):
    known = registry.builtin(kind)
    drawn = draw(descriptions.components(kind, known.values()))
    lines = drawn.splitlines()
    assert lines[0].startswith(kind)
    for name, component in known.items():
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{name} "))
        assert lines[place].endswith(component.summary())
        for parameter, default in component.defaults().items():
            assert f"{parameter} = {default}" in "".join(lines[place + 1 : place + 4])


def test_a_component_without_parameters_takes_one_line():
    lines = draw(descriptions.components("loss", [registry.find("loss", "ctc")])).splitlines()
    assert len(lines) == 2


def test_profiles_have_their_latencies(evaluations, make_profile):
    drawn = draw(
        descriptions.profiles([make_profile(evaluations[0]), make_profile(evaluations[1])])
    )
    header, first, second, _, note = drawn.splitlines()
    latencies = "1.00 / 1.50 2.00 / 3.00 3.00 / 4.50 4.00 / 6.00"
    figures = "b1 logits    b1 labels   b24 logits   b24 labels"
    assert header.endswith(figures)
    assert header.split()[:4] == ["entry", "input", "parameters", "MACs"]
    assert first.split()[:7] == ["cnn-bilstm", "·", "ctc", "11×1×8×8", "1,234", "7.20", "M"]
    assert second.split()[2] == "radial-ctc"
    for line in (first, second):
        assert line.split()[7:] == latencies.split()
    assert note == (
        "Milliseconds per batch of 1 and of 24, p50 / p90, on Example CPU, 1 of 2 cores."
    )


def test_an_invalid_latency_is_never_a_number(evaluations, make_profile):
    drawn = draw(descriptions.profiles([make_profile(evaluations[0], reason="others were busy")]))
    assert drawn.splitlines()[1].split()[7:] == ["–"] * 4
    for figure in ("b1 logits", "b1 labels", "b24 logits", "b24 labels"):
        said = f"cnn-bilstm(width=2, hidden=4) × ctc, {figure}: others were busy."
        assert f"No latency of {said}" in drawn.splitlines()


def test_without_profiles_the_text_says_so():
    assert draw(descriptions.profiles([])) == "No profile yet."


def test_profiles_are_json_with_the_number_of_samples(evaluations, make_profile):
    (profile,) = descriptions.profiles_json([make_profile(evaluations[0])])
    assert json.loads(json.dumps(profile)) == profile
    assert profile["macs"] == 7_204_192
    assert profile["latencies"][1] == {
        "batch": 1,
        "decoded": True,
        "p50": 2.0,
        "p90": 3.0,
        "valid": True,
        "reason": "",
        "peak_memory": None,
        "clocks": [],
        "samples": 2,
    }


@pytest.fixture
def on_gpu(evaluations, make_profile):
    """Return a profile of a GPU."""
    profile = make_profile(evaluations[0], "Example GPU")
    latencies = [replace(each, peak_memory=each.batch * 2**20 + 1) for each in profile.latencies]
    full = Throughput(512, 35210.4, valid=True, reason="", tried={"512": 35210.4})
    return replace(profile, latencies=latencies, throughput=full)


def test_a_gpu_has_its_throughput_and_memory(on_gpu, evaluations, make_profile):
    drawn = draw(descriptions.profiles([on_gpu, make_profile(evaluations[1])]))
    header, first, second, _, note = drawn.splitlines()
    assert header.split()[-5:] == ["samples/s", "MiB", "b1", "MiB", "b24"]
    assert first.split()[-5:] == ["35,210", "at", "512", "2", "25"]
    assert second.split()[-3:] == ["–"] * 3
    assert "samples/s: from inputs on the GPU to logits" in note


def test_an_invalid_throughput_is_never_a_number(on_gpu):
    busy = replace(on_gpu.throughput, valid=False, reason="others were busy")
    drawn = draw(descriptions.profiles([replace(on_gpu, throughput=busy)]))
    assert "35,210" not in drawn
    assert drawn.splitlines()[-1] == (
        "No throughput of cnn-bilstm(width=2, hidden=4) × ctc: others were busy."
    )


def test_a_dry_run_counts_gpus_where_records_had_some(trials, store, leave, make_provenance):
    training = trials[0].trainings[0]
    leave(training, provenance=make_provenance(training, gpu="Example GPU", gpus=0.5))
    current = plan.make_plan(trials[::2], store)
    text = draw(descriptions.dry_run(current, current.missing()))
    assert "1 training to run: about 0.2 core-minutes and 0.1 GPU-minutes by earlier" in text

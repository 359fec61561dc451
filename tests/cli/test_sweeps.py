"""`bench sweep` without a cluster: what it refuses, and what it says once its budget is used up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from bench.config import bench_toml as config
from bench.core.text_table import draw
from bench.sweeps import report
from bench.sweeps.study import Study
from bench.trials.leases import Leases

RATE = "loguniform = [1e-3, 1e-1]"


@pytest.fixture
def used_up(study):
    """Return a study of six ended trials, which is its budget; the third is the best."""
    for number, score in enumerate((0.5, 0.375, 0.125, 0.25), 4):
        end(study, number, "done", score)
    end(study, 8, "stopped", 0.75)
    end(study, 4, "failed", rate=0.02)
    study.spend(60.0)
    return study


def end(study: Study, hidden: int, state: str, *scores: float, rate: float = 0.01) -> None:
    params = {"recipe.learning_rate": rate, "recipe.optimizer": "adam", "model.hidden": hidden}
    trial = replace(study.begin(params), state=state, scores=[*scores], message="no memory")
    study.keep(trial)


@pytest.mark.parametrize(
    ("old", "new", "words", "code", "said"),
    [
        (RATE, "logunifrom = [1e-3, 1e-1]", [], 2, "there is no domain 'logunifrom'; did you mean"),
        (RATE, "loguniform = [1e-1, 1e-3]", [], 2, "two numbers, the lower one first"),
        (RATE, "uniform = [0, 1]", [], 2, "recipe.learning_rate: 'learning_rate = 0.0'"),
        ("learning_rate", "learning_rat", [], 2, "did you mean 'learning_rate'?"),
        ("trials = 6", "trials = 0", [], 2, "trials = 0"),
        ('loss = "ctc"', "", [], 2, "and 2 are left"),
        ("", "", ["-l", "*"], 2, "and 2 are left"),
        ("", "", ["-l", "ctcc"], 3, "did you mean 'ctc'?"),
        ("", "", ["--train", "iam"], 3, "no training data match 'iam'"),
        ("", "", ["-m", "lenetpp"], 3, "no model of the suite matches 'lenetpp'"),
    ],
)
def test_an_impossible_sweep_is_answered_in_a_sentence(
    home, bench, load_sweep, old, new, words, code, said
):
    load_sweep()
    file = home / "bench.toml"
    suite, header, table = file.read_text().partition("[suite.tiny.sweep]")
    file.write_text(suite + header + (table.replace(old, new) if old else table))
    answer = bench("sweep", "tiny", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.err.startswith("bench: ")
    assert not (home / "results").exists()


def test_a_budget_that_is_used_up_is_reported_without_ray(home, used_up):
    program = (
        "import sys; from bench import cli\n"
        "sys.argv = ['bench', 'sweep', 'tiny']\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "print(sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        # The readline of pytest adds COLUMNS to what a process inherits, but not to this.
        env=os.environ.copy(),
    )
    assert answer.returncode == 0, answer.stderr
    first, last = answer.stderr.splitlines()
    assert first == "tiny: 6 of 6 trials have ended, nothing to run"
    assert last == f"written to {used_up.root}"
    *drawn, modules = answer.stdout.splitlines()
    assert modules == "[]"
    assert "\n".join(drawn) == draw(report.as_text(report.report_of(used_up)))
    assert "Best of those trained to their end: trial 3." in drawn
    assert (used_up.root / "report.md").read_text() == report.as_markdown(report.report_of(used_up))


def test_the_document_is_the_report_and_its_file(home, bench, used_up):
    answer = bench("sweep", "tiny", "--json")
    assert answer.code == 0
    document = json.loads(answer.out)
    assert document == json.loads((used_up.root / "report.json").read_text())
    assert [trial["number"] for trial in document["trials"]] == [3, 4, 2, 1, 5, 6]
    assert "Best of those trained to their end: trial 3." in answer.err


@pytest.mark.parametrize("words", [["--trials", "3"], ["--minutes", "1"], ["--minutes", "0.5"]])
def test_a_budget_may_be_given_and_be_used_up(home, bench, load_sweep, used_up, words):
    load_sweep("trials = 6", "trials = 60")
    answer = bench("sweep", "tiny", *words)
    assert answer.code == 0
    assert "nothing to run" in answer.err.splitlines()[0]


def test_no_bound_in_minutes_may_be_given(home, bench, load_sweep, used_up):
    load_sweep("trials = 6", "trials = 6\nminutes = 0.5")
    assert "nothing to run" in bench("sweep", "tiny", "--minutes", "0").err


def test_a_sweep_without_a_trial_trained_to_its_end_failed(home, bench, study):
    for number in range(6):
        end(study, 4 + number % 5, "failed", rate=0.01 + number / 1000)
    answer = bench("sweep", "tiny")
    assert answer.code == 1
    assert "Trial 6 failed: no memory." in answer.out
    promoted = bench("sweep", "tiny", "--promote")
    assert promoted.code == 3
    assert "trained no trial to its end" in promoted.err


def test_a_winner_is_promoted_once_and_its_difference_shown(home, bench, used_up):
    before = (home / "bench.toml").read_text()
    answer = bench("sweep", "tiny", "--promote")
    assert answer.code == 0
    assert "+[[suite.tiny.tuned]]" in answer.err.splitlines()
    assert not [line for line in answer.err.splitlines() if line.startswith("-") and line[1] != "-"]
    assert "promoted; `bench run tiny` trains it with all seeds" in answer.err
    after = (home / "bench.toml").read_text()
    assert after.startswith(before)
    suite = config.load(home / "bench.toml").suite("tiny")
    (entry,) = [entry for entry in suite.entries if entry.tuning]
    assert (entry.model.hidden, entry.tuning.trials, entry.tuning.validations) == (6, 6, 5)

    again = bench("sweep", "tiny", "--promote")
    assert again.code == 0
    assert "has this entry already; nothing to promote" in again.err
    assert (home / "bench.toml").read_text() == after


def test_what_prevents_a_promotion_is_reported_before_the_search(home, bench, load_sweep):
    load_sweep()
    file = home / "bench.toml"
    tuning = '{ sweep = "a", sampler = "tpe", trials = 1, validations = 1 }'
    tuned = f'tuned = [{{ model = "cnn-bilstm", loss = "ctc", tuning = {tuning} }}]'
    file.write_text(file.read_text().replace("seeds =", f"{tuned}\nseeds ="))
    answer = bench("sweep", "tiny", "--promote")
    assert answer.code == 2
    assert "--promote cannot insert an entry into this file" in answer.err
    assert not (home / "results").exists()


def test_a_trial_that_cannot_be_read_ends_the_command_with_its_code(home, bench, used_up):
    next((used_up.root / "trials").iterdir()).write_text("no")
    answer = bench("sweep", "tiny")
    assert (answer.code, answer.out) == (5, "")
    assert "trial of a sweep of bench" in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("minutes", ["nan", "inf", "-1"])
def test_what_is_no_number_of_minutes_is_a_usage_error(home, bench, used_up, minutes):
    answer = bench("sweep", "tiny", "--minutes", minutes)
    assert (answer.code, answer.out) == (2, "")
    assert "--minutes" in answer.err


def test_a_promotion_keeps_link_permission_and_byte_order_mark(home, bench, used_up):
    file, real = home / "bench.toml", home / "real.toml"
    file.rename(real)
    real.write_bytes(b"\xef\xbb\xbf" + real.read_bytes())
    real.chmod(0o640)
    file.symlink_to(real)
    assert bench("sweep", "tiny", "--promote").code == 0
    assert file.is_symlink()
    assert "[[suite.tiny.tuned]]" in real.read_text()
    assert real.read_bytes().count(b"\xef\xbb\xbf") == real.read_text().startswith("\ufeff") == 1
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_sweep_is_run_by_one_process_at_a_time(study, bench):
    study.prepare()
    with Leases(study.root) as elsewhere:
        elsewhere.take("sweep")
        answer = bench("sweep", "tiny")
    assert answer.code == 2
    assert "runs this sweep; wait for its end, or stop it" in answer.err

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest
import torch

from bench import cli
from bench.cli.lazy import LazyGroup, LazyVerb

VERBS = [
    ["--help"],
    ["ls"],
    ["ls", "models"],
    ["ls", "datasets"],
    ["ls", "losses"],
    ["ls", "decoders"],
    ["ls", "augmentations"],
    ["ls", "recipes"],
    ["ls", "protocols"],
    ["data", "--help"],
    ["data", "prepare", "--help"],
    ["data", "show", "iam"],
    ["status", "tiny"],
    ["status", "tiny", "--why", "--json"],
    ["run", "tiny", "--dry-run"],
    ["sweep", "--help"],
    ["score", "--help"],
]


def test_what_only_reads_imports_nothing_heavy(home):
    # All in one interpreter, because starting one takes longer than any of these commands.
    program = (
        "import sys; from bench import cli\n"
        "heavy = {'torch', 'ray', 'optuna', 'pyarrow', 'numpy', 'rich'}\n"
        f"for words in {VERBS!r}:\n"
        "    sys.argv = ['bench', *words]\n"
        "    try: cli.main()\n"
        "    except SystemExit as ended: assert not ended.code, (words, ended.code)\n"
        "    assert not heavy & set(sys.modules), (words, heavy & set(sys.modules))\n"
        "print('end')"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith("end\n")


@pytest.mark.parametrize("name", cli.app.verbs)
def test_every_verb_of_the_table_is_imported_and_has_a_line(name):
    verb = cli.app.verbs[name]
    command = cli.app.get_command(None, name)
    assert command.name == name
    assert verb.help.endswith(".")
    assert command.help


def test_help_lists_every_verb_and_imports_none(bench, monkeypatch):
    monkeypatch.setattr(LazyGroup, "get_command", None)
    out = bench("--help").out
    for name, verb in cli.app.verbs.items():
        assert f"  {name} " in out
        assert verb.help in out


def test_a_verb_that_does_not_exist_is_a_usage_error(bench):
    answer = bench("rnu")
    assert (answer.code, answer.out) == (2, "")
    assert "No such command 'rnu'; did you mean 'run'?" in answer.err
    assert "No such command 'x'.\n" in bench("x").err
    assert LazyGroup(verbs={"a": LazyVerb("b:c", "d")}).get_command(None, "b") is None


def test_the_only_suite_needs_no_name(home, bench):
    named, unnamed = bench("status", "tiny"), bench("status")
    assert (unnamed.code, unnamed.out) == (0, named.out)
    file = home / "bench.toml"
    file.write_text(file.read_text() + '\n[suite.other]\nextends = "tiny"\nabout = "Another."\n')
    assert "there is no suite 'quick'" in bench("status").err


def test_a_misspelt_key_is_one_sentence_and_exit_code_2(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("models =", "modles ="))
    answer = bench("run", "tiny")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [
        f"bench: {file}:6: [suite.tiny] there is no key 'modles' here; did you mean 'models'?"
    ]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "tniy"], 2, "did you mean 'tiny'?"),
        (["--config", "nowhere.toml", "run"], 2, "there is no such file"),
        (["run", "tiny", "--seeds", "a"], 2, "is not a list of seeds like 0,2-4"),
        (["run", "tiny", "--seeds", "9" * 5000], 2, "is not a list of seeds like 0,2-4"),
        (["run", "tiny", "--seeds", "0,7"], 3, "seed 7 is not a seed of the suite"),
        (["run", "tiny", "-m", "cnn_bilstm"], 3, "did you mean 'cnn-bilstm'?"),
        (["run", "tiny", "-t", "iam*"], 3, "no test of the suite matches 'iam*'"),
        (["run", "tiny", "--decoder", "beem"], 3, "no decoder of the suite matches 'beem'"),
        (["run", "tiny", "--executor", "slurm"], 2, "slurm"),
        (["run", "--sede", "1"], 2, "--seeds"),
        (["run", "tiny", "--address", "127.0.0.1:1"], 2, "no Ray cluster answers"),
        (
            ["run", "tiny", "--address", "127.0.0.1:" + "9" * 20],
            2,
            "is not the address of a Ray cluster",
        ),
        (["--results", "bench.toml", "run", "tiny"], 2, "name another folder with --results"),
        (["show", "beef"], 2, "a key that begins with 'beef'"),
        (["sweep", "tniy"], 2, "did you mean 'tiny'?"),
        (["sweep", "tiny"], 2, "suite 'tiny' has no table [suite.tiny.sweep]; write one"),
        (["sweep", "tiny", "--trials", "0"], 2, "0 is not in the range"),
        (["sweep", "tiny", "--minutes", "-1"], 2, "-1.0 is not in the range"),
        (["ls", "modles"], 2, "models"),
        (["board", "tniy"], 2, "did you mean 'tiny'?"),
        (["board", "--check", "--publish"], 2, "omit all but one"),
        (["board", "--partial"], 2, "--partial requires --publish"),
        (["board", "diff", "tiny"], 3, "'tiny' has no working board"),
        (["board", "diff", "tiny", "tiny"], 2, "there is no board 'tiny': neither "),
        (["decode", "tiny"], 2, "Missing option '--decoder'"),
        (["board", "tiny", "tiny"], 2, "unexpected extra argument"),
    ],
)
def test_bad_input_is_answered_in_words(home, bench, words, code, message):
    answer = bench(*words)
    assert answer.code == code
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_a_pair_that_cannot_be_is_refused_before_anything_starts(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('protocol = "digits"', 'protocol = "digit"'))
    answer = bench("run", "tiny")
    assert answer.code == 2
    assert "did you mean 'digits'?" in answer.err
    assert not (home / "results").exists()


def test_run_writes_the_working_board_and_the_next_run_skips_everything(home, bench):
    first = bench("run", "tiny", "--executor", "inline", "--no-profile")
    assert first.code == 0, first.err
    assert "running 4 trainings and 4 evaluations" in first.err
    folder = home / "results/boards/tiny"
    files = {file: file.read_bytes() for file in folder.rglob("*.*")}
    assert {"README.md", "board.json"} <= {file.name for file in files}
    assert not (home / "leaderboards").exists()

    second = bench("run", "tiny", "--no-profile", "--json")
    assert second.code == 0
    assert "4 of 4 trainings done, 4 of 4 evaluations done; nothing to run" in second.err
    board = json.loads(second.out)
    assert [len(row["seeds"]) for row in board["rows"]] == [2, 2]
    assert {file: file.read_bytes() for file in folder.rglob("*.*")} == files

    tasks = json.loads(bench("status", "tiny", "--json").out)["tasks"]
    assert {task["state"] for task in tasks} == {"done"}
    training, evaluation = tasks[0], tasks[-1]
    assert (training["kind"], evaluation["kind"]) == ("training", "evaluation")
    assert "worst samples" in bench("show", evaluation["key"]).out
    assert evaluation["key"] not in bench("show", training["key"]).out
    assert json.loads(bench("show", training["key"], "--json").out)["key"] == training["key"]


def test_only_what_the_grid_gained_is_run(home, bench):
    words = ("run", "tiny", "--executor", "inline", "--no-profile", "--seeds", "0")
    assert bench(*words, "-l", "ctc").code == 0
    (done,) = home.glob("results/**/training.json")
    before = done.stat().st_mtime_ns
    answer = bench(*words)
    assert "1 of 2 trainings done, 1 of 2 evaluations done; running 1 training and" in answer.err
    assert done.stat().st_mtime_ns == before
    assert "1/2" in answer.out


DATA = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
TWO_TESTS = (
    'train = [{ name = "seq-digits", digits = 2, rounds = 1 }]\n'
    'tests = [{ name = "seq-digits", digits = 2, rounds = 1 }, "seq-digits"]\n'
    'decoders = [{ name = "beam", width = 3 }]'
)


def test_a_test_set_more_and_another_decoder_train_nothing(home, bench, trained):
    shutil.copytree(trained, home, dirs_exist_ok=True)
    trainings = {file: file.stat().st_mtime_ns for file in home.glob("results/**/training.json")}
    file = home / "bench.toml"
    file.write_text(file.read_text().replace(DATA, TWO_TESTS))
    plan = json.loads(bench("run", "tiny", "--dry-run", "--json").out)
    assert plan["to_run"] == {"trainings": 0, "evaluations": 8}
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile", "--json")
    assert answer.code == 0, answer.err
    board = json.loads(answer.out)
    assert [row["decoder"] for row in board["rows"]] == ["beam(width=3)"] * 2
    assert len(board["columns"]) == 2
    assert trainings == {file: file.stat().st_mtime_ns for file in trainings}


MINE = '''\
from dataclasses import dataclass

from bench.losses.ctc import CTC


@dataclass(frozen=True)
class Mine(CTC):
    """A loss of another package."""

    name = "mine"
'''


@pytest.mark.slow
def test_an_edited_loss_of_another_package_is_trained_again(home, start_bench):
    info = home / "site" / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bench.loss]\nmine = mine:Mine\n")
    (home / "site" / "mine.py").write_text(MINE)
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('["ctc", "radial-ctc"]', '["ctc", "mine"]'))
    path = os.pathsep.join([str(home / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])

    def call(*words: str) -> str:
        process = start_bench(*words, PYTHONPATH=path)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    run = ("run", "tiny", "--executor", "inline", "--no-profile", "--seeds", "0")
    call(*run)
    assert json.loads(call(*run, "--dry-run", "--json"))["to_run"] == {
        "trainings": 0,
        "evaluations": 0,
    }
    (home / "site" / "mine.py").write_text(f"{MINE}# changed\n")
    plan = json.loads(call(*run, "--dry-run", "--json"))
    assert plan["to_run"] == {"trainings": 1, "evaluations": 1}
    stale = [task for task in plan["tasks"] if task["state"] == "stale"]
    assert {task["loss"] for task in stale} == {"mine"}
    assert "loss.source: mine.py changed" in call("status", "tiny", "--why")


@pytest.mark.parametrize("words", [[], ["quick"], ["write"], ["write", "quick"], ["--json"]])
def test_board_means_write_and_the_suite_quick(home, bench, finish, trials, words):
    finish(trials)
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("suite.tiny", "suite.quick"))
    assert bench("board", *words).code == 0
    assert (home / "results/boards/quick/board.json").is_file()


def test_a_failed_training_is_reported_kept_and_tried_again(home, bench):
    file = home / "bench.toml"
    broken = file.read_text() + 'optimizer = "sgd"\nweight_decay = 0.0\n'
    file.write_text(
        broken.replace("learning_rate = 0.01", "learning_rate = 1e30").replace(
            "batch_size = 64", "batch_size = 8"
        )
    )
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile", "--limit", "1")
    assert answer.code == 1
    assert "the loss became" in answer.err
    tasks = json.loads(bench("status", "tiny", "--json").out)["tasks"]
    assert [task["state"] for task in tasks] == ["failed"] + ["to do"] * 7
    assert "the loss became" in bench("status", "tiny", "--why").out
    assert "the loss became" in bench("show", tasks[0]["key"]).out


def test_force_runs_again_what_is_done(home, bench):
    words = ("run", "tiny", "--executor", "inline", "--no-profile", "--limit", "1")
    assert bench(*words).code == 0
    record = next(home.glob("results/**/training.json"))
    before = record.stat().st_mtime_ns
    assert bench(*words, "--force").code == 0
    assert record.stat().st_mtime_ns > before


def test_no_colour_and_no_cursor_play_without_a_terminal(home, bench):
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile", "--limit", "1")
    assert "\x1b" not in answer.out + answer.err


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_has_colour_unless_it_is_declined(home, no_color):
    main, other = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "bench", "run", "nowhere"],
        env=os.environ | {"NO_COLOR": no_color},
        stderr=other,
    )
    os.close(other)
    assert (b"\x1b[" in os.read(main, 10_000)) == (not no_color)
    os.close(main)


def test_a_run_may_stay_in_this_process(home, bench, monkeypatch):
    from bench.execution import task_process

    monkeypatch.setattr(task_process, "start_child", None)
    answer = bench("run", "tiny", "--in-process", "--no-profile", "--limit", "1")
    assert answer.code == 0, answer.err
    assert len(list(home.glob("results/**/training.json"))) == 1


@pytest.mark.parametrize("place", ["results", "results/boards", "results/boards/tiny"])
def test_what_cannot_be_written_at_the_end_is_refused_before_any_training(home, bench, place):
    file = home / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile")
    assert answer.code == 2
    assert place in answer.err
    assert "nothing can be written there" in answer.err
    assert not list(home.glob("results/trainings"))


@pytest.mark.slow
def test_two_runs_share_the_work_and_each_ends_with_the_board(home, start_bench):
    runs = [start_bench("run", "tiny", "--executor", "inline", "--no-profile") for _ in range(2)]
    answers = [process.communicate(timeout=300) for process in runs]
    assert [process.returncode for process in runs] == [0, 0]
    lines = "".join(err for _, err in answers).splitlines()
    assert sum(": done in" in line for line in lines) == 8
    assert sum(line.endswith("done by another process") for line in lines) == 8
    assert answers[0][0] == answers[1][0], "both boards are whole"
    assert not (home / "results/leases").exists()


def test_profile_measures_once_and_the_board_and_show_tell_it(home, bench):
    assert bench("run", "tiny", "--executor", "inline", "--no-profile").code == 0
    first = bench("profile", "tiny", "--json")
    assert first.code == 0, first.err
    ctc, radial = json.loads(first.out)
    assert (ctc["labels"]["loss"], radial["labels"]["loss"]) == ("ctc", "radial-ctc")
    for profile in (ctc, radial):
        assert profile["weights"]
        assert profile["macs"] == 24_408
        assert all(latency["samples"] >= 64 for latency in profile["latencies"])
        assert all(each["valid"] == (not each["reason"]) for each in profile["latencies"])
    assert len(list(home.glob("results/profiles/*.json"))) == 2

    board = json.loads(bench("board", "tiny", "--json").out)
    assert board["speed_hardware"] == ctc["hardware"]
    assert "24.4 k" in (home / "results/boards/tiny/README.md").read_text()
    key = next(home.glob("results/evaluations/*/*/ctc/seed1-*")).name.partition("-")[2]
    assert "24.4 k" in bench("show", key).out


@pytest.mark.slow
def test_a_run_ends_with_profiles_of_what_is_done(home, bench):
    answer = bench("run", "tiny", "--executor", "inline", "--seeds", "0", "-l", "ctc")
    assert answer.code == 0
    lines = answer.err.splitlines()
    done = next(n for n, line in enumerate(lines) if "done in" in line)
    profiled = next(n for n, line in enumerate(lines) if line.startswith("profiling "))
    assert profiled > done
    assert "ms b24" in answer.out
    assert len(list(home.glob("results/profiles/*.json"))) == 1


def test_a_run_whose_model_cannot_be_profiled_says_so(home, bench):
    words = ["run", "tiny", "--executor", "inline", "--seeds", "0", "-l", "ctc"]
    assert bench(*words, "--no-profile").code == 0
    (weights,) = home.glob("results/**/weights.safetensors")
    weights.write_bytes(b"damaged")
    answer = bench(*words)
    assert answer.code == 1
    assert "not profiled: cnn-bilstm" in answer.err
    assert "cnn-bilstm" in answer.out


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_profile_on_cuda_without_a_gpu_is_refused(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text() + '\n[suite.tiny.resources]\ndevice = "cuda"\n')
    answer = bench("profile", "tiny")
    assert answer.code == 1
    assert "not profiled" in answer.err
    assert "this process has no GPU" in answer.err
    assert answer.out == "No profile yet.\n"


def test_records_go_where_they_are_told(home, bench, tmp_path, monkeypatch):
    words = ("run", "tiny", "--executor", "inline", "--limit", "1", "--no-profile")
    assert bench("--results", "elsewhere", *words).code == 0
    assert len(list((home / "elsewhere").rglob("training.json"))) == 1
    assert (home / "elsewhere/boards/tiny/board.json").is_file()
    assert not (home / "results").exists()
    monkeypatch.setenv("BENCH_RESULTS", str(home / "elsewhere"))
    assert "1 of 1 trainings done" in bench(*words).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "a" * 300], "no task has a record under a key that begins with 'aaa"),
        (["board", "diff", "a" * 300, "tiny"], "there is no board 'aaa"),
    ],
)
def test_a_name_that_no_file_can_have_is_one_sentence(home, bench, words, said):
    answer = bench(*words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("seeds", ["3-1", "0-99999999999999999999", "0-100000"])
def test_a_range_of_seeds_that_is_none_or_endless_is_a_usage_error(home, bench, seeds):
    answer = bench("run", "tiny", "--dry-run", "--seeds", seeds)
    assert (answer.code, answer.out) == (2, "")
    assert f"'{seeds}' must rise" in answer.err


def test_a_terminal_that_lacks_a_letter_is_not_an_error(home, finish, trials, start_bench):
    finish(trials)
    process = start_bench("board", "tiny", PYTHONIOENCODING="iso8859-5")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "? protocol digits v1" in out


def test_a_loss_that_the_suite_does_not_list_is_run_and_left_off_the_board(home, bench):
    options = ["--seeds", "0", "--executor", "inline", "--no-profile"]
    answer = bench("run", "tiny", "-l", "focal*", *options)
    assert answer.code == 0
    assert "running 1 training and 1 evaluation" in answer.err
    _, _, ad_hoc = answer.err.partition("ad-hoc trials, left off the board:\n")
    assert "focal-ctc" in ad_hoc
    assert "trainings: 1 done; evaluations: 1 done" in ad_hoc
    assert "focal-ctc" not in (home / "results/boards/tiny/board.json").read_text()
    assert len(list(home.glob("results/**/training.json"))) == 1
    again = bench("run", "tiny", "-l", "focal-ctc", *options)
    assert "1 of 1 trainings done, 1 of 1 evaluations done; nothing to run" in again.err

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from bench.cli import terminal

VERBS = [
    ["--help"],
    ["ls"],
    ["ls", "models"],
    ["ls", "datasets"],
    ["ls", "losses"],
    ["data", "--help"],
    ["data", "prepare", "--help"],
    ["data", "show", "iam"],
    ["status", "tiny"],
    ["board", "tiny"],
    ["board", "--check"],
    ["board", "diff", "tiny", "tiny/v1"],
    ["run", "tiny", "--dry-run"],
    ["sweep", "--help"],
    ["score", "bench.toml", "bench.toml", "--protocol", "htr-raw"],
]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_what_only_reads_imports_nothing_heavy(home, bench, words):
    assert bench("board", "tiny").code == 0
    program = (
        "import sys; from bench import cli\n"
        f"sys.argv = ['bench', *{words!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "heavy = {'torch', 'ray', 'optuna', 'pyarrow', 'numpy', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "verb",
    [
        "run",
        "ls",
        "status",
        "profile",
        "show",
        "score",
        "sweep",
        "board",
        "board write",
        "board diff",
        "data",
        "data prepare",
        "data verify",
        "data check",
        "data show",
        "data synth",
    ],
)
def test_every_verb_documents_its_exit_codes(bench, verb):
    answer = bench(*verb.split(), "--help")
    assert answer.code == 0
    assert "130  interrupted" in answer.out


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
    ("words", "code", "said"),
    [
        (["run", "tniy"], 2, "did you mean 'tiny'?"),
        (["--config", "nowhere.toml", "run"], 2, "there is no such file"),
        (["run", "tiny", "--seeds", "a"], 2, "is not a list of seeds like 0,2-4"),
        (["run", "tiny", "--seeds", "9" * 5000], 2, "is not a list of seeds like 0,2-4"),
        (["run", "tiny", "--seeds", "0,7"], 3, "seed 7 is not of the suite"),
        (["run", "tiny", "-m", "cnn_bilstm"], 3, "did you mean 'cnn-bilstm'?"),
        (["run", "tiny", "-d", "iam*"], 3, "no dataset of the suite matches 'iam*'"),
        (["run", "tiny", "--executor", "slurm"], 2, "slurm"),
        (["run", "--sede", "1"], 2, "--seeds"),
        (["run", "tiny", "--address", "127.0.0.1:1"], 2, "no Ray cluster answers"),
        (["run", "tiny", "--address", "127.0.0.1:" + "9" * 20], 2, "no Ray cluster answers"),
        (["--results", "bench.toml", "run", "tiny"], 2, "name another folder with --results"),
        (["show", "beef"], 2, "a key that begins with 'beef'"),
        (["sweep", "tniy"], 2, "did you mean 'tiny'?"),
        (["sweep", "tiny"], 2, "suite 'tiny' has no table [suite.tiny.sweep]; write one"),
        (["sweep", "tiny", "--trials", "0"], 2, "0 is not in the range"),
        (["sweep", "tiny", "--minutes", "-1"], 2, "-1.0 is not in the range"),
        (["ls", "modles"], 2, "models"),
        (["board", "tniy"], 2, "did you mean 'tiny'?"),
        (["board", "--check", "--next"], 2, "leave one of them out"),
        (["board", "diff", "tiny"], 2, "AFTER"),
        (["board", "diff", "tiny", "tiny"], 2, "there is no board 'tiny'"),
        (["board", "tiny", "tiny"], 2, "unexpected extra argument"),
    ],
)
def test_bad_input_is_answered_in_words(home, bench, words, code, said):
    answer = bench(*words)
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_a_pair_that_cannot_be_is_refused_before_anything_starts(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace('protocol = "digits"', 'protocol = "digit"'))
    answer = bench("run", "tiny")
    assert answer.code == 2
    assert "did you mean 'digits'?" in answer.err
    assert not (home / "results").exists()


def test_run_writes_the_board_and_the_next_run_skips_everything(home, bench):
    first = bench("run", "tiny", "--executor", "inline", "--no-profile")
    assert first.code == 0
    assert "0 of 4 trials are done; running 4" in first.err
    page = (home / "leaderboards/tiny/v1/README.md").read_bytes()
    document = (home / "leaderboards/tiny/v1/board.json").read_bytes()

    second = bench("run", "tiny", "--no-profile", "--json")
    assert second.code == 0
    assert "4 of 4 trials are done, nothing to run" in second.err
    board = json.loads(second.out)
    assert [len(row["seeds"]) for row in board["rows"]] == [2, 2]
    assert (home / "leaderboards/tiny/v1/README.md").read_bytes() == page
    assert (home / "leaderboards/tiny/v1/board.json").read_bytes() == document
    assert json.loads(document)["board"] == board

    states = json.loads(bench("status", "tiny", "--json").out)
    assert {state["state"] for state in states} == {"done"}
    shown = bench("show", states[0]["key"][:6])
    assert shown.code == 0
    assert "worst samples" in shown.out
    assert json.loads(bench("show", states[0]["key"], "--json").out)["key"] == states[0]["key"]


def test_only_what_the_grid_gained_is_run(home, bench):
    words = ("run", "tiny", "--executor", "inline", "--no-profile", "--seeds", "0")
    assert bench(*words, "-l", "ctc").code == 0
    done = next(home.glob("results/*/*/*/*/record.json"))
    before = done.stat().st_mtime_ns
    answer = bench(*words)
    assert "1 of 2 trials are done; running 1" in answer.err
    assert done.stat().st_mtime_ns == before
    assert "1/2" in answer.out


def test_a_board_is_refused_after_training_and_no_record_is_lost(home, bench, move_protocol):
    words = ("run", "tiny", "--executor", "inline", "--limit", "1")
    assert bench(*words).code == 0
    board = home / "leaderboards/tiny/v1/board.json"
    before = board.read_bytes()
    move_protocol()
    answer = bench(*words)
    assert (answer.code, answer.out) == (5, "")
    assert "protocol.version: 1 → 2" in answer.err.splitlines()[-1]
    assert "`bench board tiny --next` writes v2" in answer.err.splitlines()[-1]
    assert board.read_bytes() == before
    assert len([*home.glob("results/**/record.json")]) == 2
    assert bench("board", "tiny", "--next").code == 0
    assert bench(*words).code == 0
    second = json.loads((home / "leaderboards/tiny/v2/board.json").read_text())["board"]
    assert [len(row["seeds"]) for row in second["rows"]] == [1, 0]


def test_a_failure_is_told_though_the_board_is_refused(home, bench, move_protocol):
    assert bench("board", "tiny").code == 0
    move_protocol()
    file = home / "bench.toml"
    file.write_text(
        file.read_text()
        .replace("learning_rate = 0.01", 'learning_rate = 1e30\noptimizer = "sgd"')
        .replace("batch_size = 64", "batch_size = 8")
    )
    answer = bench("run", "tiny", "--executor", "inline", "--limit", "1")
    assert answer.code == 1
    *_, failure, refusal = answer.err.splitlines()
    assert failure.startswith("failed: ")
    assert "the loss became" in failure
    assert "--next" in refusal


@pytest.mark.parametrize("words", [[], ["quick"], ["write"], ["write", "quick"], ["--json"]])
def test_board_means_write_and_the_suite_quick(home, bench, words):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("suite.tiny", "suite.quick"))
    assert bench("board", *words).code == 0
    assert (home / "leaderboards/quick/v1/board.json").is_file()


def test_a_failed_trial_is_told_kept_and_tried_again(home, bench):
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
    assert "–" in answer.out
    states = json.loads(bench("status", "tiny", "--json").out)
    assert [state["state"] for state in states] == ["failed", "to do", "to do", "to do"]
    assert "the loss became" in bench("status", "tiny", "--why").out
    assert "the loss became" in bench("show", states[0]["key"]).out


def test_force_runs_again_what_is_done(home, bench):
    words = ("run", "tiny", "--executor", "inline", "--no-profile", "--limit", "1")
    assert bench(*words).code == 0
    record = next(home.glob("results/*/*/*/*/record.json"))
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


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_interrupt(sign):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        terminal.catch_signals()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), sign)
        assert terminal.interrupted()
    finally:
        terminal._signals.clear()
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_an_interrupted_run_says_what_resumes_it(home, start_bench):
    process = start_bench("run", "tiny", "--executor", "inline")
    for line in process.stderr:
        # Once the first trial is done, no native module is in the middle of being imported.
        if line.startswith("[1/4]"):
            process.send_signal(signal.SIGINT)
            break
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith("bench run tiny --executor inline")
    assert "Traceback" not in err


def test_profile_measures_once_and_the_board_and_show_tell_it(home, bench):
    assert bench("run", "tiny", "--executor", "inline", "--no-profile").code == 0
    first = bench("profile", "tiny", "--json")
    assert first.code == 0, first.err
    ctc, radial = json.loads(first.out)
    assert (ctc["labels"]["loss"], radial["labels"]["loss"]) == ("ctc", "radial-ctc")
    for profile in (ctc, radial):
        assert profile["weights"]
        assert profile["macs"] == 24_408
        assert all(figure["samples"] >= 64 for figure in profile["figures"])
        assert all(figure["valid"] == (not figure["reason"]) for figure in profile["figures"])
    assert len(list(home.glob("results/profiles/*.json"))) == 2

    board = json.loads(bench("board", "tiny", "--json").out)
    assert board["speed_hardware"] == ctc["hardware"]
    assert "24.4 k" in (home / "leaderboards/tiny/v1/README.md").read_text()
    key = next(home.glob("results/*/*/ctc/seed1-*")).name.partition("-")[2]
    assert "24.4 k" in bench("show", key).out


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


def test_what_cannot_be_profiled_is_told(home, bench):
    file = home / "bench.toml"
    file.write_text(file.read_text() + '\n[suite.tiny.resources]\ndevice = "cuda"\n')
    answer = bench("profile", "tiny")
    if "not profiled" in answer.err:
        assert answer.code == 1
        assert "this process sees no GPU" in answer.err
        assert answer.out == "There is no profile.\n"


def test_records_go_where_they_are_told(home, bench, tmp_path, monkeypatch):
    words = ("run", "tiny", "--executor", "inline", "--limit", "1", "--no-profile")
    assert bench("--results", "elsewhere", *words).code == 0
    assert len(list((home / "elsewhere").rglob("record.json"))) == 1
    assert not (home / "results").exists()
    monkeypatch.setenv("BENCH_RESULTS", str(home / "elsewhere"))
    assert "1 of 1 trials are done" in bench(*words).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["board", "tiny"], "leaderboards/tiny/v1: Not a directory"),
        (["show", "a" * 300], "File name too long"),
        (["board", "diff", "a" * 300, "tiny"], "File name too long"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(home, bench, words, said):
    (home / "leaderboards").write_text("a file where a folder should be")
    answer = bench(*words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("seeds", ["3-1", "0-99999999999999999999", "0-100000"])
def test_a_range_of_seeds_that_is_none_or_endless_is_a_usage_error(home, bench, seeds):
    answer = bench("run", "tiny", "--dry-run", "--seeds", seeds)
    assert (answer.code, answer.out) == (2, "")
    assert f"'{seeds}' is no range" in answer.err


def test_a_terminal_that_lacks_a_letter_is_no_error(home, start_bench):
    process = start_bench("board", "tiny", PYTHONIOENCODING="iso8859-5")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "tiny v1 ? protocol digits v1" in out


def test_a_loss_beside_the_suite_is_run_and_told_of_but_on_no_board(home, bench):
    said = ["--seeds", "0", "--executor", "inline", "--no-profile"]
    answer = bench("run", "tiny", "-l", "focal*", *said)
    assert answer.code == 0
    assert "tiny: 0 of 1 trials are done; running 1" in answer.err
    _, _, beside = answer.err.partition("beside the board of tiny:\n")
    assert "focal-ctc" in beside
    assert "1 done" in beside
    assert "focal-ctc" not in (home / "leaderboards/tiny/v1/board.json").read_text()
    assert len(list(home.glob("results/**/record.json"))) == 1
    again = bench("run", "tiny", "-l", "focal-ctc", *said)
    assert "1 of 1 trials are done, nothing to run" in again.err

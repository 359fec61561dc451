"""Plug-ins on the command line: listed in bench.toml, or passed to any verb."""

from __future__ import annotations

import json

import click
import pytest
from plugins import DATASET, EXECUTOR, LOSS, METRIC, RAISING, RAISING_LINE

from bench import cli
from bench.core import plugin_files


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    monkeypatch.delenv(plugin_files.VARIABLE, raising=False)
    yield
    plugin_files.set_plugins([])


@pytest.fixture
def listed(home):
    """Return a function that lists a plug-in in bench.toml, and its loss in the suite."""
    (home / "my_loss.py").write_text(LOSS)

    def write(*files, losses='["ctc", "my-loss"]', old="", new=""):
        text = (home / "bench.toml").read_text().replace('["ctc", "radial-ctc"]', losses)
        text = text.replace("seeds = [0, 1]", "seeds = [0]").replace(old, new)
        (home / "bench.toml").write_text(f"plugins = {json.dumps(files)}\n{text}")

    return write


def verbs():
    context = click.Context(cli.app)
    for name in cli.app.list_commands(context):
        yield [name], cli.app.get_command(context, name)


def every_verb():
    for words, command in verbs():
        if isinstance(command, click.Group):
            yield from (([*words, name], each) for name, each in command.commands.items())
        yield words, command


def test_every_verb_takes_a_plugin():
    for words, command in every_verb():
        options = [option for each in command.params for option in each.opts]
        assert options.count("--plugin") == 1, words


def test_it_stands_before_the_verb_or_behind_it(home, bench):
    (home / "my_loss.py").write_text(LOSS)
    assert "my-loss" not in bench("ls", "losses").out
    verb, option = ["ls", "losses"], ["--plugin", "my_loss.py"]
    assert "CTC, times a factor." in bench(*option, *verb).out
    assert "CTC, times a factor." in bench(*verb, *option).out
    answer = bench("run", "tiny", "-l", "my-loss", "--dry-run", "--plugin", "my_loss.py")
    assert (answer.code, "my-loss" in answer.out) == (0, True)
    answer = bench("board", "--plugin", "my_loss.py")
    assert "nothing of 'tiny' has run here" in answer.err


def test_a_file_that_is_not_there_is_named(home, bench, listed):
    listed("my_los.py")
    answer = bench("ls")
    assert answer.code == 2
    assert answer.err.startswith(f"bench: {home}/bench.toml:1: plug-in '{home}/my_los.py' does not")
    answer = bench("ls", "--plugin", "nowhere.py")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)


def test_the_list_holds_files(home, bench):
    (home / "bench.toml").write_text("plugins = 'my_loss.py'\n")
    assert "bench.toml:1: 'plugins' must be a list of files" in bench("ls").err


def test_a_home_folder_is_expanded(home, bench, listed, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    listed("~/my_loss.py")
    assert "my-loss" in bench("ls", "losses").out


def test_a_broken_one_stops_only_what_needs_it(home, bench, listed):
    (home / "broken.py").write_text("\nimport nowhere\n")
    listed("broken.py", "my_loss.py")
    for words in (["ls"], ["ls", "losses"], ["status", "tiny"]):
        answer = bench(*words)
        assert (answer.code, len(answer.err.splitlines())) == (0, 1)
        assert "my-loss" in answer.out or words == ["ls"]
        assert answer.err.startswith(f"warning: plug-in {home}/broken.py cannot be imported (Modul")
        assert "at broken.py:2)" in answer.err
    (home / "bench.toml").write_text(
        (home / "bench.toml").read_text().replace('"my-loss"', '"theirs"')
    )
    answer = bench("status", "tiny")
    assert answer.code == 2
    assert "the loss 'theirs'" in answer.err
    assert answer.err.count("broken.py cannot be imported") == 2, "a warning, and the error"


def test_a_loss_that_is_edited_is_trained_again(home, bench, listed):
    run = ("run", "tiny", "--executor", "inline", "--no-profile")
    listed("my_loss.py")
    assert bench(*run).code == 0
    before = json.loads(bench("status", "tiny", "--json").out)["tasks"]
    assert bench(*run).err.startswith("tiny: 2 of 2 trainings done")
    (home / "my_loss.py").write_text(LOSS.replace("factor: float = 1.0", "factor: float = 2.0"))
    answer = bench("status", "tiny", "--why")
    assert answer.out.count("loss.source: my_loss.py changed") == 1
    stale = json.loads(bench("status", "tiny", "--why", "--json").out)["tasks"]
    assert [task["state"] for task in stale if task["loss"] == "my-loss"] == ["stale", "stale"]
    answer = bench(*run, "--json")
    assert "running 1 training and 1 evaluation" in answer.err
    after = json.loads(bench("status", "tiny", "--json").out)["tasks"]
    keys = zip(before, after, strict=True)
    changed = {new["loss"] for old, new in keys if old["key"] != new["key"]}
    assert changed == {"my-loss"}
    assert {task["state"] for task in after} == {"done"}
    rows = {row["loss"]: row for row in json.loads(answer.out)["rows"]}
    new = {task["kind"]: task["key"] for task in after if task["loss"] == "my-loss"}
    (seed,) = rows["my-loss"]["seeds"]
    assert seed["trainings"] == [new["training"]]
    assert [*seed["evaluations"].values()] == [new["evaluation"]]
    trainings = [*(home / "results" / "trainings" / "cnn-bilstm" / "my-loss").iterdir()]
    assert len(trainings) == 2, "the record of the earlier source is kept"
    assert "my_loss.py" in bench("show", new["training"], "--json").out
    assert bench("verify").code == 0


def test_a_trial_that_raises_says_where_in_one_line(home, bench, listed):
    (home / "my_loss.py").write_text(RAISING)
    listed("my_loss.py", losses='["my-loss"]')
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile")
    (training,) = (home / "results" / "trainings").glob("*/my-loss/*")
    log = (training / "log.txt").relative_to(home)
    reason = f"ValueError: bad (my_loss.py:{RAISING_LINE}); log: {log}"
    lines = answer.err.splitlines()
    assert f"failed: cnn-bilstm · my-loss · seed 0: {reason}" in lines
    assert (
        f"[1/2, time left unknown] cnn-bilstm · my-loss · seed 0: failed (error): {reason}" in lines
    )
    assert f"my_loss.py:{RAISING_LINE}" in bench("show", training.name[-16:]).out
    assert f"my_loss.py:{RAISING_LINE}" in bench("status", "tiny", "--why").out
    assert "raise ValueError" in log.read_text()
    assert "shape \\x1b[31m" in log.read_text()


def test_a_data_set_is_read_by_processes_that_prefetch(home, bench, listed):
    (home / "mine.py").write_text(DATASET)
    resources = "\n[suite.tiny.resources]\nworkers = 1\n"
    listed("mine.py", losses='["ctc"]', old="seq-digits", new="my-digits")
    with (home / "bench.toml").open("a") as file:
        file.write(resources)
    answer = bench("run", "tiny", "--executor", "inline", "--no-profile")
    line = 1 + DATASET[: DATASET.index("raise LookupError")].count("\n")
    assert f"LookupError: no pixels (mine.py:{line}); log:" in answer.err


def test_a_protocol_may_name_a_metric_of_one(home, bench, listed):
    (home / "last.py").write_text(METRIC)
    listed("last.py", losses='["ctc"]')
    with (home / "bench.toml").open("a") as file:
        file.write('[protocol.lasts]\ncharset = "01"\nmetrics = ["last-unit", "cer"]\n')
        file.write('ranked_by = "last-unit"\n')
    assert "last right" in bench("ls", "metrics").out
    assert "last-unit" in bench("ls", "protocols").out


def test_an_executor_of_one_runs_a_suite(home, bench, listed):
    (home / "mine.py").write_text(EXECUTOR)
    listed("mine.py", losses='["ctc"]')
    assert bench("run", "tiny", "--executor", "mine", "--no-profile").code == 0
    answer = bench("run", "tiny", "--executor", "mines", "--force")
    assert "there is no executor 'mines'; did you mean 'mine'? To add your own" in answer.err


def test_a_plugin_that_imports_its_neighbor_is_told_to_join_it(home, bench):
    (home / "first_part.py").write_text("VALUE = 1\n")
    (home / "second_part.py").write_text("from first_part import VALUE\n")
    err = bench("ls", "losses", "--plugin", "second_part.py").err
    assert "files of `plugins` cannot import each other; join them, or make a package" in err

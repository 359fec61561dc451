"""`bench show` with pictures."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from bench.tasks.trial import attempt, fail
from PIL import Image

from bench import figures
from bench.core.errors import BenchError, Exit
from bench.trials.store import FAILURE, Store

PICTURES = ["--alignment", "--features", "--curves", "--worst"]


@pytest.fixture
def show(trial, finished, bench):
    """Return `bench show` of the trial of a loss, in the folder of the finished ones."""

    def show(loss, *words):
        key = trial(loss).record.key[:8]
        return bench("--config", str(finished / "bench.toml"), "show", key, *words)

    return show


def test_each_file_is_told_and_the_same_record_gives_the_same_bytes(show, trial, tmp_path):
    found, name = [], trial("radial-ctc").rows[1]["id"]
    for folder in ("one", "other"):
        words = [*PICTURES, "--sample", name, "--out", str(tmp_path / folder)]
        answer = show("radial-ctc", *words)
        assert answer.code == 0, answer.err
        files = sorted((tmp_path / folder).iterdir())
        assert sorted(answer.out.splitlines()) == [str(file) for file in files]
        found.append({file.name: file.read_bytes() for file in files})
    assert found[0] == found[1]
    assert {*found[0]} == {f"alignment-{name}.png", "features.png", "curves.png", "worst.png"}


def test_pictures_go_beside_the_record_and_json_lists_them(show, trial):
    answer = show("ctc", "--curves", "--json")
    file = trial("ctc").folder / "figures" / "curves.png"
    assert json.loads(answer.out) == [str(file)]
    assert answer.err.splitlines() == [str(file)]
    with Image.open(file) as picture:
        assert picture.size == (1500, 450)


@pytest.mark.parametrize(
    ("loss", "words", "said"),
    [
        ("ctc", ["--attention"], "model 'htr-ctc' of this trial has no attention"),
        ("ce", ["--alignment"], "loss 'ce' of this trial aligns none; leave --alignment out"),
        ("ctc", ["--alignment", "--sample", "x"], "no sample of test is called 'x'"),
        ("ctc", ["--curves", "--sample", "x"], "--sample goes with --attention and --alignment"),
        ("ctc", ["--out", "x"], "--out with any picture"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_words(show, trial, loss, words, said):
    answer = show(loss, *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_nothing_is_worst_where_all_was_read(copied):
    found = copied("ctc", lambda rows: [row | {"edits": 0} for row in rows])
    store = Store(found.folder.parents[3])
    with pytest.raises(BenchError, match="was read without an edit") as refused:
        [*figures.draw(store, str(found.folder), ["worst"])]
    assert refused.value.code == Exit.NOTHING


def test_a_failed_trial_has_no_picture(trials, store):
    fail(trials[0], store, [attempt("error", "the disk is on fire")])
    assert (store.folder(trials[0]) / FAILURE).exists()
    with pytest.raises(BenchError, match="this trial failed, so there is nothing to draw"):
        [*figures.draw(store, trials[0].key, ["curves"])]


def test_without_matplotlib_there_is_a_line_for_pip(trial, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = trial("ctc")
    store = Store(found.folder.parents[3])
    with pytest.raises(BenchError, match="pip install 'matplotlib"):
        [*figures.draw(store, found.record.key, ["curves"])]


def test_a_plain_show_needs_no_torch(finished, trial):
    words = ["--config", str(finished / "bench.toml"), "show", trial("ctc").record.key]
    program = (
        "import sys; from bench import cli\n"
        f"sys.argv = ['bench', *{words!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print(sorted({'torch', 'matplotlib', 'PIL'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "[]", answer.stderr

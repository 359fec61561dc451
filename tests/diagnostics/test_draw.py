"""`bench show` with pictures."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

from bench import diagnostics
from bench.core.errors import BenchError, Exit
from bench.tasks.task import fail, failed_attempt
from bench.trials.store import FAILURE, Store

PICTURES = ["--alignment", "--features", "--curves", "--worst"]


@pytest.fixture
def show(evaluation, finished, bench):
    """Return `bench show` of the evaluation of a loss, or of its training."""

    def show(loss, *words, training=False):
        restored = evaluation(loss)
        record = restored.training.record if training else restored.record
        key = record.key[:8]
        return bench("--config", str(finished / "bench.toml"), "show", key, *words)

    return show


def test_each_file_is_listed_and_the_same_record_gives_the_same_bytes(show, evaluation, tmp_path):
    contents, name = [], evaluation("radial-ctc").rows[1]["id"]
    for folder in ("one", "other"):
        words = [*PICTURES, "--sample", name, "--out", str(tmp_path / folder)]
        answer = show("radial-ctc", *words)
        assert answer.code == 0, answer.err
        files = sorted((tmp_path / folder).iterdir())
        assert sorted(answer.out.splitlines()) == [str(file) for file in files]
        contents.append({file.name: file.read_bytes() for file in files})
    assert contents[0] == contents[1]
    assert {*contents[0]} == {f"alignment-{name}.png", "features.png", "curves.png", "worst.png"}


def test_pictures_are_written_to_the_folder_of_the_record_and_listed_as_json(show, evaluation):
    answer = show("ctc", "--curves", "--json")
    file = evaluation("ctc").folder / "figures" / "curves.png"
    assert json.loads(answer.out) == [str(file)]
    assert answer.err.splitlines() == [str(file)]
    with Image.open(file) as picture:
        assert picture.size == (1500, 450)


@pytest.mark.parametrize(
    ("loss", "words", "message"),
    [
        ("ctc", ["--attention"], "model 'htr-ctc' has no attention maps"),
        (
            "ce",
            ["--alignment"],
            "loss 'ce' of this evaluation is not a CTC loss; leave --alignment out",
        ),
        ("ctc", ["--alignment", "--sample", "x"], "there is no sample 'x' in the test set"),
        ("ctc", ["--curves", "--sample", "x"], "--sample requires --attention and --alignment"),
        ("ctc", ["--out", "x"], "--out requires an option of a picture"),
    ],
)
def test_an_impossible_picture_is_an_error(show, loss, words, message):
    answer = show(loss, *words)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""


def test_without_errors_there_are_no_worst_samples(copied):
    perfect = copied("ctc", lambda rows: [row | {"cer": 0, "wer": 0} for row in rows])
    store = Store(perfect.folder.parents[4])
    with pytest.raises(BenchError, match="all samples were read without errors") as refused:
        [*diagnostics.draw_pictures(store, str(perfect.folder), ["worst"])]
    assert refused.value.code == Exit.NOTHING


def test_a_failed_task_has_no_picture(evaluations, store):
    fail(evaluations[0], store, [failed_attempt("error", "the disk is on fire")])
    assert (store.folder(evaluations[0]) / FAILURE).exists()
    with pytest.raises(BenchError, match="this task failed, so there is nothing to draw"):
        [*diagnostics.draw_pictures(store, evaluations[0].key, ["curves"])]


def test_a_training_has_curves_and_no_predictions(show, evaluation):
    answer = show("ctc", "--curves", training=True)
    assert answer.code == 0, answer.err
    assert answer.out.strip() == str(evaluation("ctc").training.folder / "figures" / "curves.png")
    answer = show("ctc", "--alignment", training=True)
    assert answer.code == 2
    assert "give the key of one of its evaluations" in answer.err


def test_without_matplotlib_the_command_that_installs_it_is_printed(evaluation, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    restored = evaluation("ctc")
    store = Store(restored.folder.parents[4])
    with pytest.raises(BenchError, match="pip install 'matplotlib"):
        [*diagnostics.draw_pictures(store, restored.record.key, ["curves"])]


def test_show_without_pictures_does_not_import_torch(finished, evaluation):
    words = ["--config", str(finished / "bench.toml"), "show", evaluation("ctc").record.key]
    program = (
        "import sys; from bench import cli\n"
        f"sys.argv = ['bench', *{words!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print(sorted({'torch', 'matplotlib', 'PIL'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "[]", answer.stderr

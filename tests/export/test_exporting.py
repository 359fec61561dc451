"""`bench export`: a complete folder with the origin of its network."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.core.errors import BenchError, Exit
from bench.core.hashing import digest
from bench.core.model_input import FrameInput, ImageInput
from bench.diagnostics.finished import FinishedTraining
from bench.export import exporting
from bench.export.preprocessing import preprocessing_steps
from bench.leaderboards import working
from bench.tasks.task import fail, failed_attempt
from bench.trials import store as disk

DOCS = Path(__file__).parents[2] / "docs/how-to/export.md"


def write_evaluation(made, make_evaluation_record, make_predictions):
    """Write the record of an evaluation on 100 samples."""
    from bench.evaluation import predictions

    [evaluation] = made.trial.evaluations.values()
    folder = made.store.begin(evaluation)
    table = make_predictions(evaluation.protocol)
    (folder / disk.PREDICTIONS).write_bytes(predictions.predictions_to_bytes(table))
    record = make_evaluation_record(evaluation)
    disk.write(folder / disk.EVALUATION, record)
    return record


def test_the_five_lines_of_the_docs_read_an_image(write_training, words, bench, tmp_path, capsys):
    made = write_training()
    [program] = re.findall(
        r"```python\n(from bench.recognizers.networks import load.*?)```",
        DOCS.read_text(),
        re.DOTALL,
    )[:1]
    [name] = re.findall(r'load\("(.*?)"\)', program)
    assert len(program.strip().splitlines()) <= 6
    assert bench("export", made.training.key[:6], "--out", name).code == 0
    shutil.rmtree(made.store.root)
    (tmp_path / "bench.toml").unlink()
    (tmp_path / "word.png").write_bytes(words(1)[0])
    (tmp_path / "five_lines.py").write_text(program)
    capsys.readouterr()
    runpy.run_path(str(tmp_path / "five_lines.py"))
    [text, confidence] = capsys.readouterr().out.split()
    assert text.isalnum()
    assert 0 <= float(confidence) <= 1


def test_a_folder_has_weights_description_and_card(
    write_training, bench, make_evaluation_record, make_predictions
):
    made = write_training()
    record = write_evaluation(made, make_evaluation_record, make_predictions)
    answer = bench("export", made.training.key[:8], "--json")
    assert answer.code == 0, answer.err
    folder = Path("exports", f"crnn-ctc-{made.training.key}")
    printed = json.loads(answer.out)
    assert printed["folder"] == str(folder)
    assert {file.name for file in folder.iterdir()} == {
        "model.json",
        "model.safetensors",
        "README.md",
    }
    document = json.loads((folder / "model.json").read_text())
    assert printed["model"] == document
    assert document["model"] == made.training.spec["model"]
    assert document["input"] == made.training.spec["input"]
    assert document["class_0"] == "blank"
    assert document["decoder_family"] == "ctc"
    assert document["graph"] is None
    assert document["training"]["key"] == made.training.key
    assert document["training"]["data"] == made.training.spec["data"]
    [score] = document["scores"]
    assert score["scores"] == record.scores
    assert score["protocol"].startswith("str-36 v")
    card = (folder / "README.md").read_text()
    assert "| iiit5k | greedy | str-36 v" in card
    assert f'load("{folder.name}")' in card
    assert "fingerprint" in card
    assert "learning_rate" in card
    assert (folder / "model.safetensors").read_bytes() == (made.folder / disk.WEIGHTS).read_bytes()


def test_a_card_has_the_row_of_the_working_board_with_its_interval(
    write_training, bench, home_board, make_evaluation_record, make_predictions
):
    made = write_training()
    record = write_evaluation(made, make_evaluation_record, make_predictions)
    trained = made.store.record(made.training)
    origin = replace(trained.provenance, commit="a`<b>")
    disk.write(made.folder / disk.TRAINING, replace(trained, provenance=origin))
    home_board()
    answer = bench("export", record.key, "--out", "out")
    assert answer.code == 0, answer.err
    card = Path("out/README.md").read_text()
    assert "by commit ``a`<b>``." in card
    assert "of board `words (working)`, protocol str-36" in card
    assert re.search(r"\| 50\.00 \[\d+\.\d\d, \d+\.\d\d\] \|", card), card
    assert "Evaluations of this network" not in card, "the row has it"


@pytest.fixture
def home_board(prepared):
    from bench.config import bench_toml

    def draw():
        config = bench_toml.load(prepared / "bench.toml")
        working.write_working_board(config, config.suite("words"))

    return draw


def test_a_folder_that_is_not_empty_is_not_written(write_training, bench, tmp_path):
    made = write_training()
    (tmp_path / "out").mkdir()
    assert bench("export", made.training.key, "--out", "out").code == 0, "an empty one will do"
    before = {file: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    answer = bench("export", made.training.key, "--out", "out")
    assert answer.code == Exit.USAGE
    assert answer.err == "bench: out is not empty; remove it, or name another folder with --out\n"
    assert {file: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before
    (tmp_path / "file").touch()
    assert "file is not a folder" in bench("export", made.training.key, "--out", "file").err


def test_a_failed_export_leaves_nothing(write_training, monkeypatch, tmp_path):
    made = write_training()
    training = FinishedTraining(*made.store.training(made.training.key))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting.documents, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        exporting.export_training(training, made.store, tmp_path / "deep" / "out")
    assert [*(tmp_path / "deep").iterdir()] == []


def test_altered_weights_are_not_exported(write_training, bench):
    made = write_training()
    (made.folder / disk.WEIGHTS).write_bytes(b"other")
    answer = bench("export", made.training.key)
    assert answer.code == Exit.UNVERIFIED
    assert "does not match the checksum in its record" in answer.err
    assert not Path("exports").exists()


def test_a_task_without_weights_is_reported(write_training, bench):
    made = write_training()
    assert "no task has a record under a key" in bench("export", "nonsense").err
    (made.folder / disk.TRAINING).unlink()
    fail(made.training, made.store, [failed_attempt("error", "it broke")])
    answer = bench("export", str(made.folder))
    assert answer.code == Exit.USAGE
    assert "this task failed (it broke), so it has no weights" in answer.err


def test_options_of_a_graph_require_a_graph(write_training, bench):
    write_training()
    answer = bench("export", "0", "--samples", "3")
    assert answer.code == Exit.USAGE
    assert "--samples requires --onnx" in answer.err


def test_an_evaluation_of_a_recognizer_has_no_weights_to_export(
    write_training, make_evaluation_record
):
    made = write_training()
    [evaluation] = made.trial.evaluations.values()
    record = make_evaluation_record(evaluation)
    spec = {**record.spec, "recognizer": {"name": "tesseract"}}
    labels = {"test": record.labels["test"], "recognizer": "tesseract"}
    record = replace(record, key=digest(spec), spec=spec, labels=labels)
    folder = made.store.begin(evaluation)
    disk.write(folder / disk.EVALUATION, record)
    with pytest.raises(BenchError, match="bench did not train; give the key of a training"):
        exporting.find_training(made.store, str(folder))


def test_tokens_of_several_letters_are_separated_by_spaces():
    assert exporting.token_separator(["a", "b"]) == ""
    assert exporting.token_separator(["HEUTE", "I"]) == " "


def test_preprocessing_is_described_step_by_step():
    steps = preprocessing_steps(ImageInput(margin=(1, 2), width=0, normalization="unit"), 1)
    assert [step.partition(" ")[0] for step in steps] == [
        "Decode",
        "Put",
        "Scale",
        "In",
        "Divide",
        "Arrange",
    ]
    kept = preprocessing_steps(ImageInput(keep_ratio=True, color=True, normalization="imagenet"), 3)
    assert "red, green and blue" in kept[0]
    assert "at most 100" in kept[1]
    assert kept[2] == "Fill on the right with gray (128) to 100 columns."
    clip = preprocessing_steps(FrameInput(size=9, crop=8), 3)
    assert clip[1].startswith("Scale each frame to 9 rows and 9 columns, averaging pixel areas")
    assert clip[2] == "Cut 8 rows and 8 columns out of the middle."

"""`bench decode`: finished trainings read again with another decoder."""

from __future__ import annotations

import json
import shutil

import pytest

from bench.cli.verbs.decode import parse_decoder
from bench.core.errors import BenchError, Exit
from bench.decoding.beam import BeamDecoder
from bench.decoding.greedy import GreedyDecoder
from bench.decoding.lexicon import LexiconDecoder

INLINE = ("--executor", "inline")


@pytest.mark.parametrize(
    ("text", "decoder"),
    [
        ("greedy", GreedyDecoder()),
        ("beam", BeamDecoder()),
        ("beam:width=4", BeamDecoder(width=4)),
        ("beam:width=4,cut=1e-3", BeamDecoder(width=4, cut=0.001)),
        ("beam: width = 4 , cut = 0.5", BeamDecoder(width=4, cut=0.5)),
        ("lexicon:words=a.txt,by=probability", LexiconDecoder("a.txt", by="probability")),
    ],
)
def test_a_decoder_is_a_name_and_its_parameters(text, decoder):
    assert parse_decoder(text) == decoder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("baem", "there is no decoder 'baem'; did you mean 'beam'?"),
        ("beam:widht=4", "did you mean 'width'?"),
        ("beam:width=wide", "got `str`"),
        ("beam:width=0", ">= 1"),
        ("beam:width", "'width' must be parameter=value"),
        ("lexicon", "the key 'words' is missing"),
    ],
)
def test_a_wrong_decoder_is_one_sentence(home, bench, text, message):
    with pytest.raises(BenchError) as caught:
        parse_decoder(text)
    assert message in str(caught.value)
    answer = bench("decode", "tiny", "--decoder", text)
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    assert len(answer.err.splitlines()) == 1


def test_without_a_finished_training_there_is_nothing_to_decode(home, bench):
    answer = bench("decode", "tiny", "--decoder", "beam", *INLINE)
    assert (answer.code, answer.out) == (Exit.NOTHING, "")
    assert "has no finished training that 'beam' can decode; run: bench run tiny" in answer.err
    assert not (home / "results").exists()


def test_finished_trainings_are_decoded_without_training(home, bench, trained):
    shutil.copytree(trained, home, dirs_exist_ok=True)
    trainings = {file: file.stat().st_mtime_ns for file in home.glob("results/**/training.json")}
    board = (home / "results/boards/tiny/board.json").read_bytes()

    answer = bench("decode", "tiny", "--decoder", "beam:width=3", *INLINE)
    assert answer.code == 0, answer.err
    header, *rows = answer.out.splitlines()
    assert header.split()[:3] == ["test", "entry", "seed"]
    assert len(rows) == 4
    assert all("beam(width=3)" in row for row in rows)
    assert {file: file.stat().st_mtime_ns for file in trainings} == trainings
    assert len([*home.glob("results/**/training.json")]) == 4
    assert len([*home.glob("results/**/evaluation.json")]) == 8
    assert (home / "results/boards/tiny/board.json").read_bytes() == board

    again = bench("decode", "tiny", "--decoder", "beam:width=3", "--json")
    assert again.code == 0
    assert {task["state"] for task in json.loads(again.out)["tasks"]} == {"done"}
    assert "started" not in again.err


def test_a_suite_that_lists_the_decoder_later_uses_these_evaluations(home, bench, trained):
    shutil.copytree(trained, home, dirs_exist_ok=True)
    words = ("decode", "tiny", "--decoder", "beam:width=3", "--seeds", "0", "-l", "ctc")
    assert bench(*words, *INLINE).code == 0
    assert len([*home.glob("results/**/evaluation.json")]) == 5
    file = home / "bench.toml"
    decoders = 'decoders = ["greedy", { name = "beam", width = 3 }]\nseeds ='
    file.write_text(file.read_text().replace("seeds =", decoders))
    plan = json.loads(bench("run", "tiny", "--dry-run", "--json").out)
    assert plan["to_run"] == {"trainings": 0, "evaluations": 3}
    done = [task for task in plan["tasks"] if "beam" in task.get("decoder", "")]
    assert [(task["loss"], task["seed"], task["state"]) for task in done] == [
        ("ctc", 0, "done"),
        ("radial-ctc", 0, "to do"),
        ("ctc", 1, "to do"),
        ("radial-ctc", 1, "to do"),
    ]

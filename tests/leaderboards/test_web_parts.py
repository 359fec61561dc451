"""The parts of a board's page: details of single samples."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from bench.core.errors import BenchError
from bench.data.datasets.seq_digits import SeqDigits
from bench.data.inspection import contact_sheet
from bench.leaderboards import board as boards
from bench.leaderboards.web import parts
from bench.leaderboards.web.pictures import sample_pictures


def content_of(script):
    found = re.fullmatch(r'benchPart\("([^"]*)",(.*)\);\n', script.decode())
    return found[1], json.loads(found[2])


@pytest.fixture
def site(published, store):
    board = boards.read_board(published / "tiny" / "v1")
    at_hand = parts.evaluation_folders(store)
    return board, at_hand, parts.board_parts(board, at_hand)


def test_parts_of_an_evaluation(site):
    board, at_hand, made = site
    row = next(each for each in board.rows if "radial" in each.loss)
    key = next(iter(row.evaluations.values()))
    assert parts.parts_manifest(board, at_hand)["evaluations"].count(key) == 1

    name, details = content_of(made[f"parts/{key}.js"]())
    assert name == key
    worst = [(each["id"], each["reference"], each["hypothesis"]) for each in details["worst"]]
    assert worst[:2] == [("s00", "00", "01"), ("s01", "01", "02")]
    assert len(worst) == 20
    assert details["confusions"][0] == ["0", "1", 2]

    _, errors = content_of(made[f"parts/{key}-errors.js"]())
    bits = base64.b64decode(errors["wrong"])
    wrong = [n for n in range(errors["samples"]) if bits[n // 8] >> n % 8 & 1]
    # Samples are numbered by their ids: the one without a transcript is the first.
    assert wrong == [*range(1, 21)]

    _, texts = content_of(made[f"parts/{key}-0.js"]())
    assert texts["wrong"]["1"] == ["s00", "00", "01"]
    assert f"parts/{key}-1.js" not in made


def test_a_damaged_evaluation_is_reported_in_its_part(site):
    board, at_hand, made = site
    key = next(iter(board.rows[0].evaluations.values()))
    (at_hand[key] / "predictions.parquet").write_bytes(b"")
    assert "predictions.parquet" in content_of(made[f"parts/{key}.js"]())[1]["fault"]


def test_pictures_of_composed_samples():
    dataset = SeqDigits(digits=2, rounds=1)
    spec = dataset.spec() | {"fingerprints": {"test": dataset.fingerprint("test")}}
    sample = contact_sheet.first_samples(dataset, "test", 1)[0]
    pictures = sample_pictures(spec, [sample.id, "nothing"])
    assert [*pictures] == [sample.id]
    shown = Image.open(io.BytesIO(base64.b64decode(pictures[sample.id].partition(",")[2])))
    assert shown.size == sample.pixels.shape[1::-1]
    with pytest.raises(BenchError, match="has changed since this evaluation"):
        sample_pictures(spec | {"fingerprints": {"test": "sha256:0"}}, ["nothing"])


def test_board_html_writes_a_site(published, bench, tmp_path):
    answer = bench("board", "--html", str(tmp_path / "out"))
    assert answer.code == 0
    assert answer.out == f"written: {tmp_path / 'out' / 'index.html'}\n"
    folder = tmp_path / "out" / "tiny" / "v1"
    assert {"board.html", "board.json", "README.md", "parts"} <= {f.name for f in folder.iterdir()}
    assert bench("board", "tiny", "--html", "again", "--json").code == 0
    assert (tmp_path / "again" / "working" / "tiny" / "board.html").exists()
    assert bench("board", "--html", "out", "--check").code == 2

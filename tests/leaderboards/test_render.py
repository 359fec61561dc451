"""Boards as text, Markdown and JSON: the same numbers, said for each reader."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from bench.core.errors import BenchError, Exit
from bench.leaderboards import render
from bench.leaderboards.aggregate import Board, Row, Seed, Spread
from bench.leaderboards.intervals import Certainty, Range
from bench.leaderboards.speed import Speed

CTC, RADIAL = "ctc", "radial-ctc(eta=0.1)"
SMALL, WIDE = "cnn-bilstm(width=2)", "cnn-bilstm(width=3)"


def seed(number: int = 0, **changes) -> Seed:
    found = Seed(number, f"{number:016x}", 1 / 3, 2 / 7, 356, {}, 10.26, "012345678")
    return replace(found, **changes)


def row(rank: int | None = 1, model: str = SMALL, loss: str = CTC, **changes) -> Row:
    found = Row(
        rank=rank,
        dataset="seq-digits",
        model=model,
        loss=loss,
        sequence_accuracy=Spread(1 / 3, 0.0123456789),
        cer=Spread(2 / 7, None),
        parameters=1234567,
        training_seconds=10.26,
        seeds=[seed(0), seed(1)],
        missing={},
    )
    return replace(found, **changes)


def empty(model: str = SMALL, loss: str = CTC, **changes) -> Row:
    blank = dict.fromkeys(("sequence_accuracy", "cer", "parameters", "training_seconds"))
    found = row(None, model, loss, **blank, seeds=[], missing={"0": "to do", "1": "stale"})
    return replace(found, **changes)


def board(*rows: Row, **changes) -> Board:
    found = Board(
        suite="tiny",
        version=1,
        about="Two digits.",
        protocol="digits v1",
        protocol_about="The ten digits.",
        identity={"protocol": {"name": "digits"}, "datasets": {}},
        seeds=[0, 1],
        hardware=["Example CPU, 1 thread a trial"],
        rows=list(rows),
    )
    return replace(found, **changes)


def tables(page: str) -> list[list[list[str]]]:
    """Return the cells of each table of a Markdown page, without its rule."""
    found: list[list[list[str]]] = [[]]
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            pieces = re.split(r"(?<!\\)\|", line)[1:-1]
            found[-1].append([piece.strip().replace("\\|", "|") for piece in pieces])
        elif found[-1]:
            found.append([])
    drawn = [table for table in found if table]
    for table in drawn:
        assert all(re.fullmatch("---:?", cell) for cell in table[1])
    return [[table[0], *table[2:]] for table in drawn]


def test_a_row_says_its_numbers():
    ((header, cells),) = tables(render.markdown(board(row())))
    assert dict(zip(header, cells, strict=True)) == {
        "rank": "1",
        "model": "cnn-bilstm",
        "loss": "ctc",
        "sequence accuracy %": "33.33 ± 1.23",
        "CER %": "28.57 ± –",
        "seeds": "2/2",
        "parameters": "1,234,567",
        "training s": "10.3",
        "commit": "012345678",
    }


def test_a_row_without_a_record_says_nothing_but_its_names():
    made = board(row(), empty(loss=RADIAL))
    ((header, _, cells),) = tables(render.markdown(made))
    assert dict(zip(header, cells, strict=True)) == {
        "rank": "–",
        "model": "cnn-bilstm",
        "loss": "radial-ctc",
        "sequence accuracy %": "–",
        "CER %": "–",
        "seeds": "0/2",
        "parameters": "–",
        "training s": "–",
        "commit": "–",
    }
    assert f"Missing of {SMALL} × {RADIAL} on seq-digits: seed 1: stale." in render.markdown(made)


def test_seeds_that_are_missing_are_counted_and_told():
    made = board(row(seeds=[seed(1)], missing={"0": "error: OSError: no"}))
    for drawn in (render.text(made), render.markdown(made)):
        assert "1/2" in drawn
        assert f"Missing of {SMALL} × ctc on seq-digits: seed 0: error: OSError: no." in drawn


def test_a_complete_board_misses_nothing():
    assert "Missing" not in render.markdown(board(row()))


def test_every_table_is_well_formed():
    rows = [
        row(1),
        row(1, WIDE, RADIAL),
        empty("a|b", "c||d"),
        row(1, dataset="other"),
        row(2, "a|b(x=y|z)", dataset="other", seeds=[seed(commit="a"), seed(commit="b+")]),
    ]
    found = tables(render.markdown(board(*rows)))
    assert [len(table) for table in found] == [4, 3]
    assert {len(cells) for table in found for cells in table} == {9}
    assert {tuple(table[0]) for table in found} == {tuple(found[0][0])}
    assert found[0][3][1:3] == ["a|b", "c||d"]
    assert found[1][2][1] == "a|b(x=y|z)"
    assert found[1][2][8] == "a, b+"


def test_each_dataset_has_a_table():
    page = render.markdown(board(row(), row(dataset="other"), row(2, dataset="other")))
    assert re.findall("^## .*", page, re.MULTILINE) == ["## seq-digits", "## other"]
    assert [len(table) for table in tables(page)] == [2, 3]
    drawn = render.text(board(row(), row(dataset="other")))
    assert drawn.index("\nseq-digits\n") < drawn.index("\nother\n")


def test_names_are_short_where_they_are_unique():
    ((_, first, second),) = tables(render.markdown(board(row(1), row(2, loss=RADIAL))))
    assert [first[1:3], second[1:3]] == [["cnn-bilstm", "ctc"], ["cnn-bilstm", "radial-ctc"]]


def test_names_are_full_where_they_are_not():
    rows = [row(1), row(2, WIDE), row(3, "lenetpp(width=8)")]
    ((_, *cells),) = tables(render.markdown(board(*rows)))
    assert [line[1] for line in cells] == [SMALL, WIDE, "lenetpp"]
    rows = [row(1, "cnn-bilstm"), row(2, WIDE)]
    ((_, *cells),) = tables(render.markdown(board(*rows)))
    assert [line[1] for line in cells] == ["cnn-bilstm", WIDE]


def test_what_short_names_hide_is_told_below():
    page = render.markdown(board(row(1), row(2, loss=RADIAL), row(3, "lenetpp")))
    assert f"Parameters off their defaults: `{SMALL}`, `{RADIAL}`." in page
    assert "`ctc`" not in page
    assert "`lenetpp`" not in page
    assert "Parameters off" not in render.markdown(board(row(1, "lenetpp")))


def test_changed_files_behind_a_commit_are_told():
    note = "A + behind a commit: "
    clean = board(row())
    dirty = board(row(seeds=[seed(0), seed(1, commit="012345678+")]))
    for draw in (render.text, render.markdown):
        assert note not in draw(clean)
        assert note in draw(dirty)
        assert "012345678, 012345678+" in draw(dirty)


def test_samples_that_are_not_scored_are_told():
    left = {"empty reference": 3, "outside the charset: x": 1}
    made = board(
        row(seeds=[seed(0, samples=1234, excluded=left), seed(1, samples=1234, excluded=left)]),
        row(dataset="other"),
    )
    for drawn in (render.text(made), render.markdown(made)):
        assert (
            "Scored on seq-digits: 1,234 test samples; "
            "excluded: 3 empty reference, 1 outside the charset: x." in drawn
        )
        assert "Scored on other: 356 test samples; excluded: none." in drawn
        assert drawn.count("Scored on") == 2


def test_the_page_says_how_to_read_it():
    page = render.markdown(board(row()))
    assert page.startswith("# tiny v1\n\nTwo digits.\n\n")
    assert "Protocol `digits v1`: The ten digits. " in page
    assert "sample standard deviation over the seeds 0, 1." in page
    assert "`bench board tiny`" in page
    assert "`bench run tiny`" in page
    assert "Trained on Example CPU, 1 thread a trial." in page
    assert page.endswith(".\n")
    assert "\n\n\n" not in page


def test_the_page_tells_boards_of_other_protocols_or_data_apart():
    other = board(row(), identity={"protocol": {"name": "letters"}, "datasets": {}})
    assert f"`{other.fingerprint}`" in render.markdown(other)
    assert f"`{other.fingerprint}`" not in render.markdown(board(row()))


def test_an_empty_about_leaves_no_gap():
    page = render.markdown(board(row(), about=""))
    assert page.startswith("# tiny v1\n\nProtocol ")


def test_a_board_without_a_record_is_still_a_board():
    made = board(empty(), empty(loss=RADIAL), hardware=[])
    page = render.markdown(made)
    assert [len(table) for table in tables(page)] == [3]
    assert "Scored on" not in page
    assert "Trained on" not in page


def test_the_terminal_sees_aligned_columns():
    drawn = render.text(board(row(), empty(loss=RADIAL)))
    assert drawn.startswith("tiny v1 · protocol digits v1\n\nseq-digits\n")
    header, first, second = drawn.split("\n\n")[1].splitlines()[1:]
    for name, cells in {
        "model": ("cnn-bilstm", "cnn-bilstm"),
        "loss": ("ctc", "radial-ctc"),
        "commit": ("012345678", "–"),
    }.items():
        place = header.index(name)
        assert first[place:].startswith(cells[0])
        assert second[place:].startswith(cells[1])
    assert header.index("CER %") + len("CER %") == first.index("28.57 ± –") + len("28.57 ± –")


def test_json_has_every_digit():
    made = board(
        row(cer=Spread(0.1 + 0.2, 1e-17), seeds=[seed(0, cer=1 / 7, excluded={"x": 2})]),
        empty(loss=RADIAL),
    )
    content = render.to_json(made)
    assert content.endswith(b"}\n")
    document = json.loads(content)
    assert document["schema"] == render.SCHEMA
    found = document["board"]
    assert (found["suite"], found["version"], found["seeds"]) == ("tiny", 1, [0, 1])
    first, second = found["rows"]
    assert first["sequence_accuracy"] == {"mean": 1 / 3, "std": 0.0123456789}
    assert first["cer"] == {"mean": 0.1 + 0.2, "std": 1e-17}
    assert first["seeds"][0] == {
        "seed": 0,
        "key": "0" * 16,
        "sequence_accuracy": 1 / 3,
        "cer": 1 / 7,
        "samples": 356,
        "excluded": {"x": 2},
        "training_seconds": 10.26,
        "commit": "012345678",
    }
    assert second["rank"] is None
    assert second["cer"] is None
    assert second["missing"] == {"0": "to do", "1": "stale"}


def test_writing_leaves_the_page_and_its_data(tmp_path):
    made = board(row(), version=2)
    folder = render.write(made, tmp_path)
    assert folder == tmp_path / "tiny" / "v2"
    names = ["README.md", "board.json", "samples.csv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "README.md").read_text(encoding="utf-8") == render.markdown(made)
    assert (folder / "board.json").read_bytes() == render.to_json(made)
    render.write(board(row(2), version=2), tmp_path)
    assert (folder / "board.json").read_bytes() == render.to_json(board(row(2), version=2))


def test_what_is_written_is_read_back(tmp_path):
    made = board(row(cer=Spread(0.1 + 0.2, 1e-17)), empty(loss=RADIAL))
    assert render.read(render.write(made, tmp_path)) == made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "this is no board of bench"),
        (b"[]", "this is no board of bench"),
        (b"{}", "this is no board of bench"),
        (b'{"schema": 1, "board": {"suite": "tiny"}}', "missing required field `version`"),
        (b'{"schema": 0, "board": {}}', "its schema is 0, this bench reads 1"),
    ],
)
def test_what_is_no_board_is_said_with_its_file(tmp_path, content, said):
    (tmp_path / "board.json").write_bytes(content)
    with pytest.raises(BenchError, match=said) as raised:
        render.read(tmp_path)
    assert raised.value.code == Exit.UNVERIFIED
    assert str(raised.value).startswith(f"{tmp_path / 'board.json'}: ")


@pytest.mark.parametrize(
    ("mean", "std", "shown"),
    [
        (1.0, 0.0, "100.00 ± 0.00"),
        (0.0, None, "0.00 ± –"),
        (0.918539, 0.00794, "91.85 ± 0.79"),
        (1.25, 0.5, "125.00 ± 50.00"),
    ],
)
def test_percents(mean, std, shown):
    ((_, cells),) = tables(render.markdown(board(row(cer=Spread(mean, std)))))
    assert cells[4] == shown


def test_speeds_stand_between_parameters_and_training():
    speed = Speed(7_204_192, {"1": 2.345, "24": None}, {"24": "others were busy"})
    made = board(row(speed=speed), row(2, loss=RADIAL), speed_hardware="Example CPU")
    ((header, first, second),) = tables(render.markdown(made))
    assert header[6:11] == ["parameters", "MACs", "ms b1", "ms b24", "training s"]
    assert first[7:10] == ["7.20 M", f"{2.345:.2f}", "–"]
    assert second[7:10] == ["–", "–", "–"]
    for drawn in (render.text(made), render.markdown(made)):
        assert f"No latency of {SMALL} × ctc on seq-digits: batch 24: others were busy." in drawn
        assert "median latency" in drawn
        assert "from inputs in memory to labels, on Example CPU." in drawn
        assert "are left out" not in drawn


def test_a_board_without_a_profile_has_no_speed_columns():
    page = render.markdown(board(row()))
    assert "MACs" not in page
    assert "latency" not in page


def test_hardware_that_is_left_out_is_told():
    speed = Speed(7_204_192, {"1": 2.0, "24": 4.0}, {})
    made = board(row(speed=speed), speed_hardware="A", other_hardware=["B", "C"])
    assert "Latencies on B; C are left out" in render.markdown(made)


def test_a_board_with_speeds_fits_a_terminal_of_130_columns():
    speed = Speed(123_456_789, {"1": 12.34, "24": 234.56}, {})
    wide = row(speed=speed, cer=Spread(0.0204, 0.002))
    made = board(wide, row(2, loss=RADIAL), speed_hardware="Example CPU")
    table = render.text(made).split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= 130


def test_certainty_stands_behind_the_scores_and_in_the_ranks():
    sure = Certainty(Range(0.25, 0.4), Range(0.2, 0.3456), 1, 2)
    rows = [row(1, certainty=sure), row(2, WIDE, certainty=replace(sure, best=2, worst=2))]
    page = render.markdown(board(*rows))
    table = tables(page)[0]
    assert [cells[0] for cells in table[1:]] == ["1–2", "2"]
    assert table[1][3:5] == ["33.33 ± 1.23 [25.0, 40.0]", "28.57 ± – [20.0, 34.6]"]
    assert "In brackets: 95 % intervals" in page
    assert "In brackets" not in render.markdown(board(row()))


def test_glosses_have_a_word_error_rate():
    glosses = {"protocol": {"name": "gloss-phoenix14", "unit": "gloss"}, "datasets": {}}
    headers = tables(render.markdown(board(row(), identity=glosses)))[0][0]
    assert "WER %" in headers
    assert "CER %" not in headers

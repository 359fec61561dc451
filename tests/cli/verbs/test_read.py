"""`bench read`: a person's own images."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.core.errors import Exit

PLUGIN = """
from contextlib import contextmanager
from dataclasses import dataclass

from bench.core.components import Recognizer
from bench.core.errors import BenchError, Exit
from bench.core.recognition import Reading, TextReader


@dataclass(frozen=True)
class Shades(Recognizer):
    "Reads the shade of an image, and fails where it is 13."

    name = "shades"

    @contextmanager
    def open(self, workplace):
        assert workplace.device == "cpu"
        yield Shader()


class Shader(TextReader):
    def begin(self, ids):
        self.ids = ids

    def read(self, samples):
        assert {sample.id for sample in samples} <= {*self.ids}
        shades = [int(sample.pixels(1)[0, 0]) for sample in samples]
        if 13 in shades:
            raise BenchError("there is no shade 13; paint it over", Exit.FAILED)
        return [
            Reading(
                f"shade {shade}\x1b[31m\u202e",
                None if shade == 7 else 0.5,
                remark="dark" if shade < 9 else "",
            )
            for shade in shades
        ]


@dataclass(frozen=True)
class Clips(Shades):
    "Reads clips."

    name = "clips"
    accepts = "frames"


@dataclass(frozen=True)
class Needy(Shades):
    "Has a parameter without a default."

    name = "needy"

    shade: int
"""


SUITE = """
[suite.words]
protocol = "str-36"
tests = ["iiit5k"]
recognizers = [{ name = "needy", shade = 1, label = "fed" }]
"""


@pytest.fixture(autouse=True)
def plugin(home):
    """Have bench.toml name a file with recognizers."""
    (home / "shades.py").write_text(PLUGIN)
    file = home / "bench.toml"
    file.write_text(f'plugins = ["shades.py"]\n{file.read_text()}{SUITE}')


@pytest.fixture
def pictures(home):
    """Return a folder of images named by their shade."""
    folder = home / "pics"
    folder.mkdir()
    for shade in (3, 7, 200):
        (folder / f"{shade}.png").write_bytes(picture(shade))
    (folder / "notes.txt").write_text("no image")
    return folder


def picture(shade):
    return cv2.imencode(".png", np.full((6, 9), shade, np.uint8))[1].tobytes()


def test_texts_are_listed_with_confidence_and_remarks(pictures, bench):
    answer = bench("read", "pics", "--with", "shades")
    assert answer.code == 0, answer.err
    lines = [line.split("  ") for line in answer.out.splitlines()]
    assert [[cell.strip() for cell in line if cell] for line in lines] == [
        ["image", "text", "confidence", "remark"],
        ["pics/200.png", r"shade 200\x1b[31m\u202e", "0.500"],
        ["pics/3.png", r"shade 3\x1b[31m\u202e", "0.500", "dark"],
        ["pics/7.png", r"shade 7\x1b[31m\u202e", "–", "dark"],
    ]
    assert "\x1b" not in answer.out


def test_json_has_the_texts_as_they_are_and_obeys_nothing(pictures, bench):
    answer = bench("read", "pics/7.png", "--with", "shades", "--json")
    assert answer.code == 0
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    assert json.loads(answer.out) == {
        "reader": "shades",
        "images": [
            {
                "path": "pics/7.png",
                "text": "shade 7\x1b[31m\u202e",
                "confidence": None,
                "remark": "dark",
            }
        ],
    }


def test_what_cannot_be_read_is_reported_and_the_others_are_read(pictures, bench):
    (pictures / "broken.png").write_bytes(b"\x89PNG")
    (pictures / "empty.png").touch()
    (pictures / "endless.png").symlink_to("/dev/zero")
    os.mkfifo(pictures / "pipe.png")
    words = [
        *(f"pics/{name}.png" for name in ("broken", "3", "empty", "endless", "pipe")),
        "gone\x1b.png",
    ]
    answer = bench("read", *words, "--with", "shades")
    assert answer.code == Exit.FAILED
    assert "shade 3" in answer.out
    assert answer.err.splitlines() == [
        "pics/broken.png: an image that cannot be decoded (at most 67,108,864 pixels)",
        "pics/empty.png: an empty image file",
        "pics/endless.png: not a regular file",
        "pics/pipe.png: not a regular file",
        r"gone\x1b.png: No such file or directory",
    ]
    document = json.loads(bench("read", *words, "--with", "shades", "--json").out)
    assert ["error" in row for row in document["images"]] == [True, False, *[True] * 4]


def test_globs_and_folders_name_each_image_once(pictures, bench):
    answer = bench("read", "pics/[37].png", "pics", "**/3.png", "--with", "shades", "--json")
    paths = [row["path"] for row in json.loads(answer.out)["images"]]
    assert paths == ["pics/3.png", "pics/7.png", "pics/200.png"]


@pytest.mark.parametrize(
    ("word", "fault"),
    [("*.gif", "no file matches '*.gif'"), ("void", "void: there is no image in this folder")],
)
def test_nothing_to_read_is_nothing_selected(home, bench, word, fault):
    (home / "void").mkdir()
    answer = bench("read", word, "--with", "shades")
    assert answer.code == Exit.NOTHING
    assert fault in answer.err


def test_a_row_of_a_suite_reads_with_its_parameters(pictures, bench):
    answer = bench("read", "pics/3.png", "--with", "words/fed", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["reader"] == "needy(shade=1)"


def test_what_was_read_before_a_fault_is_printed(pictures, bench):
    for number in range(40):
        (pictures / f"a{number:02}.png").write_bytes(picture(20 + number))
    (pictures / "b.png").write_bytes(picture(13))
    answer = bench("read", "pics", "--with", "shades")
    assert answer.code == Exit.FAILED
    assert answer.out.count("shade") == 32
    assert answer.err == "bench: there is no shade 13; paint it over\n"


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("clips", "recognizer 'clips' does not read images"),
        (
            "needy",
            "recognizer 'needy' cannot be used with its default parameters (the key 'shade' is",
        ),
        ("shadows", "'shadows' is not an exported folder, SUITE/ROW or recognizer either ("),
        ("words/fad", "suite 'words' has no row 'fad'; did you mean 'fed'?"),
    ],
)
def test_what_cannot_read_is_named(pictures, bench, word, fault):
    answer = bench("read", "pics", "--with", word)
    assert answer.code == Exit.USAGE
    assert fault in answer.err


def test_a_name_of_a_file_never_reaches_the_terminal_as_it_is(home, bench):
    name = "a\x1b[2J\n\x9b.png"
    Path(name).write_bytes(picture(3))
    answer = bench("read", name, "--with", "shades")
    assert answer.code == 0
    assert r"a\x1b[2J\n\x9b.png" in answer.out
    answer = bench("read", name, "--with", "shades", "--json")
    assert json.loads(answer.out)["images"][0]["path"] == name
    assert "\x9b" not in answer.out

"""A person's own data, from a folder to a suite, on the command line alone."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.config import bench_toml
from bench.core.errors import BenchError
from bench.data.datasets.own import own_dataset_of_record
from bench.data.opening import training_encoder
from bench.data.raw.labels.formats import FORMATS
from bench.evaluation import protocols
from bench.trials import grid

TEXTS = ["Hi", "sir", "two", "Café", "don't", "x9"]
SUITE = """
[suite.mine]
protocol = "str-36"
datasets = ["words"]
models = ["crnn"]
losses = ["ctc"]
recipe = { epochs = 1, batch_size = 4, learning_rate = 0.01 }
"""


@pytest.fixture(autouse=True)
def _own_folder(home, monkeypatch):
    """Keep prepared data in the folder of the test, which has no bench.toml yet."""
    (home / "bench.toml").unlink()
    monkeypatch.setenv("BENCH_DATA", str(home / "data"))


@pytest.fixture
def scans(home):
    """Return a function that writes images of some texts into folders, with a gt.txt each."""

    def write(*folders, texts=TEXTS, labels=True):
        for place, folder in enumerate(folders):
            (home / folder).mkdir(parents=True, exist_ok=True)
            for number in range(len(texts)):
                seed = 100 * place + number
                pixels = np.random.default_rng(seed).integers(0, 256, (12, 30), np.uint8)
                cv2.imwrite(str(home / folder / f"{number}.png"), pixels)
            rows = "".join(f"{number}.png\t{text}\n" for number, text in enumerate(texts))
            if labels:
                (home / folder / "gt.txt").write_text(rows, encoding="utf-8")
        return home

    return write


def declared(home, **keys):
    """Return the one table of bench.toml, without the keys that are given and equal."""
    [table] = tomllib.loads((home / "bench.toml").read_text("utf-8-sig"))["dataset"].values()
    assert {key: table[key] for key in keys} == keys
    return table


def test_from_a_folder_to_prepared_data_without_python(scans, bench):
    home = scans("words/train", "words/test")
    found = bench("data", "init", "words")
    assert (found.code, found.err) == (0, "")
    for line in (
        "format      tab: lines such as 1.jpg<tab>two words",
        "labels      test/gt.txt, train/gt.txt",
        "samples     12, of which 12 have their images",
        "splits      test 6, train 6",
        "characters  16 (latin)",
        "sizes       30 to 30 wide, 12 to 12 high, median 30×12 (12 images)",
    ):
        assert line in found.out
    assert found.out.endswith(f"new {home}/bench.toml; next: bench data prepare words\n")
    declared(home, kind="words", folder="words", format="tab", splits="names")

    prepared = bench("data", "prepare", "words")
    assert prepared.code == 0
    assert prepared.out.splitlines() == [
        "words/train: 6 samples",
        "words/test: 6 samples",
        "words: an alphabet of 16 characters",
    ]
    again = bench("data", "prepare", "words")
    assert again.out == prepared.out
    assert bench("data", "verify", "words").code == 0
    checked = bench("data", "check", "words", "--protocol", "str-36", "--json")
    assert checked.code == 0
    findings = {(each["split"], each["check"]): each["found"] for each in json.loads(checked.out)}
    assert findings["train", "outside the alphabet"] == "none"
    assert findings["test", "dropped by str-36"] == '"\'" in 1'
    shown = bench("data", "show", "words", "--split", "train")
    assert "Words of your own" in shown.out
    assert "train/3.png" in shown.out
    assert (home / "data/words/samples.png").exists()
    assert "[dataset.words]" in bench("ls", "datasets").out
    assert json.loads(bench("ls", "datasets", "--json").out)["words"]["version"] == 1


def test_the_key_of_a_training_has_the_fingerprint_of_own_data(scans, bench):
    home = scans("words/train", "words/test")
    bench("data", "init", "words")
    with (home / "bench.toml").open("a") as file:
        file.write(SUITE)

    def trial():
        [only] = grid.trials(bench_toml.load(home / "bench.toml").suite("mine"))
        return only.evaluations["words"]

    assert bench("run", "mine").err.startswith("bench: dataset 'words' is not prepared")
    assert bench("status", "mine").out.endswith("\nneeds data words: bench data prepare words\n")
    bench("data", "prepare", "words")
    first = trial()
    [spec] = first.training.spec["data"]
    prepared = json.loads((home / "data/words/prepared.json").read_text())["parts"]
    assert spec["name"] == "words"
    assert spec["fingerprints"] == {"train": prepared["train"]["fingerprint"]}
    assert first.spec["test"]["fingerprints"] == {"test": prepared["test"]["fingerprint"]}
    # Where it lies is no part of it; what a network learns of it is.
    (home / "words").rename(home / "moved")
    text = (home / "bench.toml").read_text()
    (home / "bench.toml").write_text(text.replace('"words"\nformat', '"moved"\nformat'))
    assert trial().key == first.key
    (home / "bench.toml").write_text(text.replace("format =", 'alphabet = "str-36"\nformat ='))
    assert trial().training.key != first.training.key
    # Another transcript is another data set.
    (home / "bench.toml").write_text(text)
    (home / "moved").rename(home / "words")
    labels = home / "words/test/gt.txt"
    labels.write_text(labels.read_text().replace("sir", "Sir"))
    assert bench("data", "prepare", "words", "--force").code == 0
    assert trial().training.key == first.training.key
    assert trial().key != first.key


def test_a_changed_table_asks_to_prepare_again(scans, bench):
    home = scans("words")
    bench("data", "init", "words")
    assert bench("data", "prepare", "words").code == 0
    file = home / "bench.toml"
    ratio = '{ train = 0.5, test = 0.5, seed = "v1" }'
    file.write_text(file.read_text().replace('splits = "test"', f"splits = {ratio}"))
    for verb in ("prepare", "check", "show"):
        answer = bench("data", verb, "words")
        assert answer.code == 2
        assert "[dataset.words] has changed since 'words' was prepared" in answer.err
        assert "bench data prepare words --force" in answer.err
    assert bench("data", "prepare", "words", "--force").code == 0
    parts = json.loads((home / "data/words/prepared.json").read_text())["parts"]
    assert {*parts} == {"train", "test"}
    assert sum(part["samples"] for part in parts.values()) == len(TEXTS)


def test_a_source_may_be_an_archive_or_another_folder(scans, bench):
    home = scans("words")
    bench("data", "init", "words")
    with tarfile.open(home / "copy.tar", "w") as archive:
        archive.add(home / "words", "copy")
    assert bench("data", "prepare", "words").code == 0
    first = (home / "data/words/prepared.json").read_text()
    shutil.rmtree(home / "data")
    shutil.move(home / "words", home / "other")
    missing = bench("data", "prepare", "words")
    assert (missing.code, missing.out) == (2, "")
    assert f"{home}/words does not exist" in missing.err
    assert bench("data", "prepare", "words", "--source", "other").code == 0
    assert (home / "data/words/prepared.json").read_text() == first


def test_init_refuses_a_name_that_is_there_unless_forced(scans, bench):
    home = scans("words")
    assert bench("data", "init", "words", "--kind", "lines").code == 0
    text = "\ufeff" + (home / "bench.toml").read_text() + "# mine\n"
    (home / "bench.toml").write_text(text)
    again = bench("data", "init", "words")
    assert (again.code, again.out) == (2, "")
    assert "there is a data set 'words' already" in again.err
    assert (home / "bench.toml").read_text() == text
    assert bench("data", "init", "words", "--force").code == 0
    declared(home, kind="words")
    new = (home / "bench.toml").read_text()
    assert new.endswith("# mine\n")
    assert new.rfind("\ufeff") == 0
    assert bench("data", "init", "words", "--name", "second").code == 0
    assert bench("data", "init", "words", "--name", "iiit5k").code == 2


def test_init_finds_splits_in_a_column(scans, bench):
    home = scans("words", labels=False)
    rows = ["file_name,text,split", *(f"{n}.png,two words,train" for n in range(5))]
    (home / "words/metadata.csv").write_text("\n".join([*rows, "5.png,two words,dev"]))
    assert "splits      train 5, validation 1" in bench("data", "init", "words").out
    declared(home, kind="lines", format="csv", splits={"column": "split"})


def test_init_finds_clips_in_folders_of_frames(scans, bench):
    home = scans("signs/clips/a", "signs/clips/b", labels=False)
    (home / "signs/gt.txt").write_text("clips/a\tHELLO YOU\nclips/b\tYOU\n")
    answer = bench("data", "init", "signs")
    assert answer.code == 0, answer.err
    declared(home, kind="clips", format="tab", splits="test")
    prepared = bench("data", "prepare", "signs")
    assert prepared.out == "signs/test: 2 samples\n"
    data = bench_toml.load(home / "bench.toml").dataset("signs")
    assert data.gives == "frames"
    assert data.label_encoder(None).vocabulary == ("HELLO", "YOU")
    assert "clips/b  180×12  YOU" in bench("data", "show", "signs").out


def test_no_control_character_of_a_file_reaches_the_terminal(scans, bench):
    home = scans("words")
    (home / "words/gt.txt").rename(home / "words/gt\x1b[31m.txt")
    found = bench("data", "init", "words")
    assert (found.code, "labels      gt\\x1b[31m.txt" in found.out) == (0, True)
    (home / "words/0.png").unlink()
    (home / "words/1.png").unlink()
    missing = bench("data", "init", "words", "--name", "other")
    assert missing.code == 2
    assert "gt\\x1b[31m.txt" in missing.err
    assert "\x1b[31mgt" not in found.out + missing.err
    assert "\x1b[31m.txt" not in found.out + missing.err


def test_right_to_left_text_is_said_to_be_in_logical_order(scans, bench):
    home = scans("words", texts=["שלום", "مُحَمَّد"])
    found = bench("data", "init", "words").out
    assert "(arabic, hebrew)" in found
    assert "in logical order" in found
    bench("data", "prepare", "words")
    data = bench_toml.load(home / "bench.toml").dataset("words")
    assert [*data.selection("test").texts()] == ["שלום", "مُحَمَّد"]


def test_samples_that_cannot_be_are_left_out_and_counted(scans, bench):
    home = scans("words")
    rows = "0.png\tagain\n../x.png\tout\nbroken.png\tb\nnone.png\tn\n1.png\n4.png\ta\tb\n"
    (home / "words/broken.png").write_bytes(b"no picture")
    with (home / "words/gt.txt").open("a") as file:
        file.write(rows)
    refused = bench("data", "init", "words")
    assert refused.code == 2
    assert "--format of `bench data init`, to tab" in refused.err
    found = bench("data", "init", "words", "--format", "tab").out
    assert "samples     8, of which 7 have their images" in found
    assert "missing: 'none.png'" in found
    assert "left out    1 listed before with another text" in found
    prepared = bench("data", "prepare", "words")
    assert prepared.code == 0
    assert "words/test: 6 samples; 6 left out" in prepared.out
    checked = bench("data", "check", "words", "--json")
    assert checked.code == 5
    reasons = {*json.loads(checked.out)[0]["found"].split("; ")}
    assert {
        "1 a file that is missing",
        "1 a path out of the data set's folder",
        "1 a row with more than one tab",
        "1 a row without a tab",
        "1 listed before with another text",
    } < reasons


def test_an_alphabet_that_misses_characters_is_counted_and_refused(scans, bench):
    home = scans("words/train")
    bench("data", "init", "words")
    file = home / "bench.toml"
    text = file.read_text()
    file.write_text(text.replace("format =", 'alphabet = "sirHitwo" # twice\nformat ='))
    assert "has 'i' twice" in bench("data", "prepare", "words").err

    def alphabet(characters):
        file.write_text(text.replace("format =", f'alphabet = "{characters}"\nformat ='))
        data = bench_toml.load(file).dataset("words")
        return training_encoder([data]) if data.folder.exists() else None

    alphabet("HisrtwoCaféx")
    prepared = bench("data", "prepare", "words").out
    assert "words: an alphabet of 12 characters" in prepared
    assert "words/train: 2 samples have characters outside the alphabet: " in prepared
    assert "'9' in 1" in prepared
    assert bench("data", "check", "words").code == 0
    assert len(alphabet("HisrtwoCaféx").vocabulary) == 12
    with pytest.raises(BenchError) as caught:
        alphabet("abc")
    assert "lacks characters of 6 of 6 training samples of data set 'words'" in str(caught.value)
    checked = bench("data", "check", "words")
    assert checked.code == 5
    # Rules that drop a character do not learn it either.
    with pytest.raises(BenchError, match="lacks characters of 6 of 6"):
        alphabet("digits")


def test_own_data_learn_the_characters_of_training_alone(scans, bench):
    home = scans("words/train", texts=["b", "a\u0308", "ä"])
    scans("words/test", texts=["z"])
    bench("data", "init", "words")
    bench("data", "prepare", "words")
    data = bench_toml.load(home / "bench.toml").dataset("words")
    assert data.label_encoder(None).vocabulary == ("b", "ä")
    assert data.label_encoder(protocols.find_protocol("digits")).vocabulary == tuple("0123456789")


@pytest.mark.parametrize("alphabet", ["", 'alphabet = "str-36"', 'alphabet = "abc"'])
def test_a_record_gives_the_data_set_back(scans, bench, alphabet):
    home = scans("words")
    bench("data", "init", "words")
    bench("data", "prepare", "words")
    with (home / "bench.toml").open("a") as file:
        file.write(alphabet)
    data = bench_toml.load(home / "bench.toml").dataset("words")
    again = own_dataset_of_record(json.loads(json.dumps(data.spec())))
    assert again.spec() == data.spec()
    assert again.label_encoder(None).vocabulary == data.label_encoder(None).vocabulary
    assert again.fingerprint("test") == data.fingerprint("test")
    assert own_dataset_of_record({"name": "iiit5k", "version": 1, "parameters": {}}) is None
    with pytest.raises(BenchError, match=r"add its table \[dataset\.words\]"):
        again.reader(home / "words")


def test_the_page_on_own_data_has_every_format():
    page = (Path(__file__).parents[2] / "docs/how-to/own-data.md").read_text()
    assert not [name for name in FORMATS if f"`{name}`" not in page]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("init none", "none is not a folder"),
        ("init empty", "it has no labels whose images exist"),
        ("init words --format tabs", "did you mean 'tab'?"),
        ("init words --format csv", "it has no labels whose images exist"),
        ("init words --labels gt.tsv", "gt.tsv does not exist; name a file in"),
        ("init words --labels ../bench.toml", "is not a path in"),
        ("init words --labels pipe", "pipe is not a file or a folder; name a file in"),
        ("init words --images pictures", "pictures is not a folder"),
        ("init words --name a/b", "'a/b' is not a valid name of"),
        ("prepare word", "there is no dataset 'word'; did you mean 'words'?"),
        ("check words -m cslr-resnet18", "model 'cslr-resnet18' reads frames"),
        ("verify words", "dataset 'words' is not prepared"),
        ("prepare words --source empty", "does not exist; name a file in"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(scans, bench, line, said):
    home = scans("words")
    (home / "empty").mkdir()
    os.mkfifo(home / "words" / "pipe")
    assert bench("data", "init", "words").code == 0
    text = (home / "bench.toml").read_text()
    words = [
        *line.split(),
        *(["--name", "other"] if "init" in line and "--name" not in line else []),
    ]
    answer = bench("data", *words)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert (home / "bench.toml").read_text() == text

"""`bench data`: from a raw data set to prepared samples, on the command line alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest

from bench import synthetic
from bench.core.errors import BenchError, Exit
from bench.core.model_input import ImageInput
from bench.core.types import InputShape
from bench.data.augmentation.scene_text import SceneText
from bench.data.datasets.synth90k import Synth90k
from bench.data.inspection import contact_sheet
from bench.data.opening import open_test
from bench.data.store.partition import cache_file

SYNTHETIC = Path("data/synth90k-synthetic")


def release(folder: Path, samples: dict[int, tuple[bytes, bytes]], said: int = 4) -> Path:
    """Write the LMDB of SVT, as clovaai hands it out, of images and labels by their numbers."""
    place = folder / "evaluation" / "SVT"
    place.mkdir(parents=True)
    with lmdb.open(str(place)) as environment, environment.begin(write=True) as change:
        change.put(b"num-samples", b"%d" % said)
        for number, (image, label) in samples.items():
            change.put(b"image-%09d" % number, image)
            change.put(b"label-%09d" % number, label)
    return folder


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 50), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def piped(file: Path) -> None:
    """Put a pipe in the place of a file."""
    file.unlink()
    os.mkfifo(file)


@pytest.fixture(autouse=True)
def _own_data(home, monkeypatch):
    """Keep prepared data in the folder of the test, whose bench.toml has no suite."""
    (home / "bench.toml").write_text("")
    monkeypatch.setenv("BENCH_DATA", str(home / "data"))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory) -> Path:
    """Return a folder with a synthetic data set in `words`; copy it to change it."""
    folder = tmp_path_factory.mktemp("rendered")
    synthetic.generate_dataset("synth90k", folder / "words", 10)
    return folder


@pytest.fixture
def words(rendered, home, bench):
    """Return a working folder in which the synthetic data set was prepared."""
    shutil.copytree(rendered / "words", home / "words")
    assert bench("data", "prepare", "synth90k", "--source", "words").code == 0
    return home


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prepare syn90k", "did you mean 'synth90k'?"),
        ("prepare synth90k", "bench data prepare synth90k --source DIR"),
        ("prepare synth90k --source wrods", "wrods does not exist"),
        ("prepare synth90k --force", "name its folder with --source"),
        ("prepare seq-digits --source words", "comes with bench"),
        ("prepare iam --source words --decoded 32x100", "--decoded is for images of words"),
        ("prepare iam --source words", "this is not all of IAM"),
        ("prepare synth90k --source bench.toml", "cannot be unpacked"),
        ("verify synth90k", "is not prepared"),
        ("check iiit5k -m crn", "did you mean 'crnn'?"),
        ("check synth90k-synthetic -m lenetpp", "model 'lenetpp' reads frames"),
        ("check synth90k-synthetic -m htr-seq2seq", "loss 'ctc' scores frames"),
        ("check seq-digits-synthetic", "did you mean 'seq-digits'?"),
        ("show synth90k-synthetic --out samples.foo", "choose one that ends with .png or .jpg"),
        ("show synth90k-synthetic --augment scene", "did you mean 'scene-text'?"),
        ("show synth90k-synthetic --augment sign-language", "cannot be applied to image"),
        ("show seq-digits --augment scene-text", "cannot be augmented by 'scene-text'"),
        ("synth iamm --out new", "did you mean 'iam'?"),
        ("synth iam --out words", "is not an empty folder"),
        ("synth iam --out new --difficulty hard", "has no difficulty 'hard'"),
        ("check synth90k-synthetic --protocol str36", "did you mean 'str-36'?"),
        ("check synth90k-synthetic --alphabet htr-raw", "lists no characters"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, bench, line, said):
    answer = bench("data", *line.split())
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert (words / SYNTHETIC / "prepared.json").exists()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("test/data.mdb", lambda file: os.truncate(file, 5000), "it is truncated"),
        ("prepared.json", lambda file: file.write_text("{"), "not a document of prepared data"),
        (
            "prepared.json",
            lambda file: file.write_text(file.read_text().replace(": 1,\n", ": 3,\n")),
            "prepared.json lists 3",
        ),
        ("test/samples.arrow", lambda file: file.write_bytes(b"no table"), "samples.arrow"),
        ("test/samples.arrow", piped, "samples.arrow"),
        ("test/data.mdb", piped, "this is not an LMDB (a named pipe, not a regular file)"),
    ],
    ids=["pixels", "document", "count", "table", "table-pipe", "pixels-pipe"],
)
def test_data_that_were_damaged_fail_with_5_and_name_the_file(words, bench, name, change, said):
    change(words / SYNTHETIC / name)
    for verb in ("verify", "check"):
        answer = bench("data", verb, "synth90k-synthetic")
        assert answer.code == 5
        assert said in answer.out + answer.err
    assert bench("data", "prepare", "synth90k", "--source", "words", "--force").code == 0
    assert bench("data", "verify", "synth90k-synthetic").code == 0


def test_samples_that_cannot_be_are_left_out_and_named(home, bench):
    samples = {
        1: (picture(1), b"../../etc/passwd"),
        2: (b"", b"empty"),
        3: (picture(3), b"\xff"),
    }
    release(home / "source", samples)
    answer = bench("data", "prepare", "svt", "--source", "source")
    assert (answer.code, answer.err) == (0, "")
    assert "svt/test: 1 samples; 3 left out" in answer.out
    left_out = (home / "data/svt/test/rejected.tsv").read_text().splitlines()
    assert [line.split("\t")[0][-1] for line in left_out] == ["2", "3", "4"]
    found = bench("data", "check", "svt", "--json")
    assert found.code == 5
    assert {"1 an empty image file", "1 no key of its label"} <= {
        *json.loads(found.out)[0]["found"].split("; ")
    }


def test_what_a_protocol_drops_and_changes_is_counted(home, bench):
    texts = ("Straße", "don't", "plain", "Café")
    samples = {n: (picture(n), text.encode()) for n, text in enumerate(texts, 1)}
    release(home / "source", samples)
    assert bench("data", "prepare", "svt", "--source", "source").code == 0

    def found(*options):
        answer = bench("data", "check", "svt", "--json", *options)
        return {each["check"]: each["found"] for each in json.loads(answer.out)}

    usual = found()
    assert usual["dropped by str-36"] == "'ß' in 1, \"'\" in 1"
    assert usual["changed by str-36"] == "3 of 4 transcripts"
    assert usual["outside the alphabet"] == "none"
    raw = found("--protocol", "htr-raw", "--alphabet", "htr-thesis")
    assert raw["dropped by htr-raw"] == raw["changed by htr-raw"] == "none"
    assert raw["outside the alphabet"] == "'ß' in 1, 'é' in 1"


def test_targets_longer_than_the_output_of_a_model_fail(home, bench):
    release(home / "source", {n: (picture(n), b"a" * 9 * n) for n in (1, 2, 3, 4)})
    assert bench("data", "prepare", "svt", "--source", "source").code == 0
    answer = bench("data", "check", "svt", "--json", "-m", "crnn")
    assert answer.code == 5
    [finding] = [
        each for each in json.loads(answer.out) if each["check"] == "target longer than output"
    ]
    assert finding["found"].startswith("3: ")  # 26 frames, and a blank between two letters
    assert finding["split"] == "test"


def test_samples_are_shown_of_the_splits_that_there_are(words, bench):
    answer = bench("data", "show", "synth90k-synthetic", "--split", "train", "--count", "3")
    assert answer.code == 0
    assert "transcript" in answer.out
    assert (words / SYNTHETIC / "samples.png").exists()
    release(words / "source", {n: (picture(n), b"w") for n in (1, 2, 3, 4)})
    assert bench("data", "prepare", "svt", "--source", "source").code == 0
    refused = bench("data", "show", "svt", "--split", "train")
    assert refused.code == 2
    assert "has no split 'train'; set --split to test" in refused.err


def test_samples_are_shown_beside_what_a_recipe_makes_of_them(words, bench):
    (words / "bench.toml").write_text(
        '[recipe.mine]\naugmentation = { name = "scene-text", probability = 1.0 }\n'
    )

    def sheet(*options):
        line = ("--augment", "mine", "--count", "2", "--epochs", "3", "--out", "drawn.png")
        answer = bench("data", "show", "synth90k-synthetic", *line, *options)
        assert answer.code == 0, answer.err
        assert answer.out.count("×") == 2
        return cv2.imread("drawn.png")

    drawn = sheet()
    original, *epochs = np.split(drawn[8:104, 8:], 4, axis=1)
    assert not any(np.array_equal(original, each) for each in epochs)
    assert len({each.tobytes() for each in epochs}) == 3
    assert np.array_equal(drawn, sheet())
    other = sheet("--seed", "1")
    width = original.shape[1]
    assert np.array_equal(drawn[8:104, : width + 8], other[8:104, : width + 8])
    assert not np.array_equal(drawn, other)


@pytest.mark.usefixtures("words")
def test_samples_beside_their_augmentation_are_shown_as_they_are():
    dataset = Synth90k(synthetic=True)
    plain = {each.id: each.pixels for each in contact_sheet.first_samples(dataset, "train", 1000)}
    shown = contact_sheet.augmented_samples(dataset, "train", 3, SceneText(), 1, seed=0)
    for original in shown[::2]:
        assert np.array_equal(original.pixels, plain[original.id])


def test_a_release_that_has_gone_is_told_with_its_name(home, bench):
    # What was unpacked beside the data would be copied.
    source = release(home / "source", {n: (picture(n), b"w") for n in (1, 2, 3, 4)})
    assert bench("data", "prepare", "svt", "--source", str(source)).code == 0
    shutil.rmtree(source)
    for verb in ("verify", "check"):
        answer = bench("data", verb, "svt")
        assert answer.code == 5
        assert f"a link to {source}/evaluation/SVT/data.mdb, which does not exist" in (
            answer.out + answer.err
        )


def test_force_keeps_what_is_prepared_where_the_source_is_another(words, bench):
    assert bench("data", "prepare", "synth90k", "--source", "words").code == 0
    (words / "other").mkdir()
    shutil.copy(words / "words" / synthetic.MARKER, words / "other")
    answer = bench("data", "prepare", "synth90k", "--source", "other", "--force")
    assert answer.code == 2
    assert bench("data", "verify", "synth90k-synthetic").code == 0


def test_a_cache_that_was_damaged_is_reported_when_it_is_read(words, bench):
    keep = ("data", "prepare", "synth90k-synthetic", "--decoded", "32x100")
    dataset = Synth90k(synthetic=True)

    def first():
        pipeline = open_test(dataset, ImageInput(), dataset.label_encoder(None))
        return pipeline.batches("test", 1)[0]

    before = first()
    assert bench(*keep).code == 0
    file = cache_file(words / SYNTHETIC / "test", InputShape(1, 32, 100))
    file.write_bytes(b"garbage")
    with pytest.raises(BenchError, match="these are not the decoded images") as caught:
        first()
    assert caught.value.code == Exit.UNVERIFIED
    file.unlink()
    assert bench(*keep).code == 0
    assert first().inputs.equal(before.inputs)


def test_an_interrupted_synthetic_data_set_is_rendered_again(home, bench, start_bench):
    process = start_bench("data", "synth", "synth90k", "--out", "new", "--count", "1000000")
    deadline = time.monotonic() + 60
    while not [*home.glob("new/**/*.jpg")] and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].endswith("bench data synth synth90k --out new --count 1000000")
    refused = bench("data", "prepare", "synth90k", "--source", "new")
    assert refused.code == 2
    assert "was interrupted; run `bench data synth` again" in refused.err
    assert bench("data", "synth", "synth90k", "--out", "new", "--count", "10").code == 0
    assert len([*home.glob("new/**/*.jpg")]) == 10


def tree(folder: Path, **parts: dict[str, bytes]) -> Path:
    """Write words in the form of Synth90k: images by their names, for each partition."""
    (folder / "test").mkdir(parents=True)
    (folder / "lexicon.txt").write_text("one\ntwo\n")
    for part, pictures in parts.items():
        for name, content in pictures.items():
            (folder / "test" / name).write_bytes(content)
        rows = "".join(f"./test/{name} {row % 2}\n" for row, name in enumerate(pictures))
        (folder / f"annotation_{part}.txt").write_text(rows)
    return folder


def written(text: str, suffix: str = ".png", size: tuple[int, int] = (100, 32)) -> bytes:
    drawn = np.full((32, 100), 220, np.uint8)
    cv2.putText(drawn, text, (5, 24), 0, 0.8, 10, 2)
    return cv2.imencode(suffix, cv2.resize(drawn, size))[1].tobytes()


def test_images_that_spoil_a_data_set_are_named(home, bench):
    words = {f"{text}.png": written(text) for text in ("abc", "def", "ghi", "jkl", "mno")}
    blank = cv2.imencode(".png", np.full((32, 100), 9, np.uint8))[1].tobytes()
    tree(
        home / "source",
        train=words | {"blank.png": blank},
        test={
            "again.jpg": written("def", ".jpg", (90, 29)),
            "other.png": written("xyz"),
            "copy.png": words["abc.png"],
            "speck.png": written("abc", size=(40, 3)),
            "page.png": written("pqr", size=(5000, 40)),
        },
    )
    assert bench("data", "prepare", "synth90k", "--source", "source").code == 0
    answer = bench("data", "check", "synth90k", "--json")
    assert answer.code == 5
    found = {(each["split"], each["check"]): each for each in json.loads(answer.out)}
    assert found["train", "of one color"]["found"] == "1: test/blank"
    assert found["train", "of one color"]["verdict"] == "failed"
    assert found["test", "of one color"]["found"] == "none"
    extreme = found["test", "extreme sizes"]
    assert extreme["found"] == "2: test/speck (40×3), test/page (5000×40)"
    assert extreme["verdict"] == "note"
    assert found["test", "in a split before"]["found"] == "1: test/copy"
    near = found["test", "like one in a split before"]
    assert near["found"] == "1: test/again like test/def of train"
    assert near["verdict"] == "note"


def test_a_row_that_is_listed_twice_is_left_out_by_name(home, bench):
    source = tree(home / "source", test={f"{n}.png": written(n) for n in ("a", "b", "c")})
    with (source / "annotation_test.txt").open("a") as rows:
        rows.write("./test/b.png 1\n")
    answer = bench("data", "prepare", "svt", "--source", "source")
    assert (answer.code, answer.err) == (0, "")
    assert "svt/test: 3 samples; 1 left out" in answer.out
    rejected = (home / "data/svt/test/rejected.tsv").read_text()
    assert rejected.splitlines() == ["test/b\tlisted before with the same text"]


def test_no_label_reaches_the_terminal_raw_or_in_full(home, bench):
    labels = ("\x1b]0;owned\x07x", "a\nb\tc\r", "x" * 100_000, "ab \u202ecd", "\n" * 500, "plain")
    samples = {n: (picture(n), label.encode()) for n, label in enumerate(labels, 1)}
    release(home / "source", samples, said=6)
    assert bench("data", "prepare", "svt", "--source", "source").code == 0
    for verb in ("show", "check"):
        answer = bench("data", verb, "svt", *(["--protocol", "htr-raw"] * (verb == "check")))
        assert all(line.isprintable() for line in (answer.out + answer.err).splitlines())
        assert max(map(len, answer.out.splitlines())) < 300
    drawn = cv2.imread("data/svt/samples.png")
    assert drawn.shape[0] < 1000


def test_folders_whose_names_are_of_another_encoding(home, bench, monkeypatch):
    source, data = (os.fsdecode(name) for name in (b"source\xe9", b"data\xe9"))
    tree(home / source, test={f"{n}.png": written(n) for n in ("a", "b", "c")})
    monkeypatch.setenv("BENCH_DATA", data)
    assert bench("data", "prepare", "svt", "--source", source).code == 0
    assert bench("data", "verify", "svt").code == 0
    assert bench("data", "show", "svt").code == 0
    assert (home / data / "svt" / "samples.png").is_file()
    (home / source / "gt.txt").write_text("test/a.png\tone\n")
    answer = bench("data", "init", source, "--name", "mine", "--format", "tab")
    assert answer.code == 2
    assert "is not UTF-8" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_what_is_left_of_an_interrupted_force_does_not_look_prepared(words, bench, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stop)
    bench("data", "prepare", "synth90k", "--source", "words", "--force")
    monkeypatch.undo()
    assert not (words / SYNTHETIC / "prepared.json").exists()

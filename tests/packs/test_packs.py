"""Packs: written, accepted in another checkout, and refused if anything is wrong."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile

import pyarrow as pa
import pytest

from bench.core.errors import BenchError
from bench.core.hashing import digest
from bench.evaluation import predictions, protocols
from bench.evaluation.sample_properties import with_properties
from bench.packs import pack_file
from bench.trials.store import EVALUATION, PREDICTIONS, TRAINING, WEIGHTS, content, read_record

# In one worker, so that the trained suite is packed once.
pytestmark = pytest.mark.xdist_group("packs")
BY = "Ada Lovelace (Kew)"


@pytest.fixture(scope="module")
def packed(trained, tmp_path_factory):
    """Return a pack of the suite `tiny`, and its files without the manifest."""
    from bench.config import bench_toml
    from bench.packs import packing

    config = bench_toml.load(trained / "bench.toml")
    file = tmp_path_factory.mktemp("packed") / "tiny.pack"
    file.write_bytes(packing.pack_suite(config, "tiny", by=BY).content)
    return file, dict(pack_file.read_pack(file).files)


@pytest.fixture
def other_checkout(trained, tmp_path, monkeypatch):
    """Work in another checkout, which has the same bench.toml and no results."""
    shutil.copy(trained / "bench.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def send(packed, tmp_path):
    """Return a function that writes a pack with some files changed, as a forger would."""

    def write(change=None, *, by=BY, **manifest):
        files = one_evaluation(packed[1])
        if change:
            change(files)
        checksums = {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
        document = {"suite": "tiny", "by": by, "bench": "0", "files": checksums, "schema": 1}
        content = json.dumps(document | manifest).encode()
        file = tmp_path / "sent.pack"
        with zipfile.ZipFile(file, "w") as archive:
            for name, held in [("pack.json", content), *files.items()]:
                archive.writestr(zipfile.ZipInfo(name), held)
        return file

    return write


def one_evaluation(files):
    """Return the files of the first evaluation and of its training."""
    evaluation = first(files, EVALUATION)
    training = json.loads(files[evaluation])["spec"]["recognizer"]["training"]
    keys = {evaluation.split("/")[1], training}
    return {name: held for name, held in files.items() if name.split("/")[1] in keys}


def names(files, suffix):
    return sorted(name for name in files if name.endswith(suffix))


def first(files, suffix):
    return names(files, suffix)[0]


def edit(files, name, /, **changes):
    """Change keys of a document; `a__b` is the key b within a."""
    document = json.loads(files[name])
    for path, value in changes.items():
        *within, key = path.split("__")
        target = document
        for each in within:
            target = target[each]
        target[key] = value
    files[name] = json.dumps(document).encode()


def not_parquet(files):
    """Replace the content of the first predictions, with a matching checksum."""
    name, content = first(files, PREDICTIONS), b"PAR1 and more PAR1"
    files[name] = content
    record = name.replace(PREDICTIONS, EVALUATION)
    edit(files, record, files={PREDICTIONS: hashlib.sha256(content).hexdigest()})


def forge(files, change, *, rescore=True):
    """Change the predictions of the first evaluation, with matching scores and checksum."""
    name = first(files, PREDICTIONS)
    record = name.replace(PREDICTIONS, EVALUATION)
    table = change(predictions.parse_predictions(files[name]))
    protocol = protocols.find_protocol("digits")
    if rescore:
        again = predictions.recount_metrics(table, protocol)
        for column in again.column_names:
            place = table.schema.get_field_index(column)
            table = table.set_column(place, table.schema.field(place), again[column])
    files[name] = predictions.predictions_to_bytes(table)
    edit(
        files,
        record,
        scores=predictions.corpus_scores(table, protocol),
        samples=table["excluded"].null_count,
        files={PREDICTIONS: hashlib.sha256(files[name]).hexdigest()},
    )


def with_column(table, name, values):
    place = table.schema.get_field_index(name)
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array(values, field.type))


def test_a_pack_is_accepted_with_the_same_rows(packed, other_checkout, bench, trained):
    answer = bench("accept", str(packed[0]))
    assert answer.code == 0, answer.err
    assert answer.out == f"run by {BY}: 4 trainings added, 4 evaluations added\n"
    board = json.loads(bench("board", "tiny", "--json").out)
    theirs = json.loads(bench("--config", f"{trained}/bench.toml", "board", "tiny", "--json").out)
    for here, there in zip(board["rows"], theirs["rows"], strict=True):
        for result in here["seeds"]:
            assert result.pop("run_by")[0].startswith(f"{BY} on ")
        assert here == there
    tasks = json.loads(bench("status", "tiny", "--json").out)["tasks"]
    assert {task["state"] for task in tasks} == {"done"}
    page = (other_checkout / "results/boards/tiny/README.md").read_text()
    assert "Run by others" in page
    assert page.count(BY) == 1
    shown = bench("show", tasks[0]["key"]).out
    assert f"run by {BY} on " in shown
    assert bench("board", "tiny").out.count(BY) == 1


def test_files_that_cannot_be_verified_are_noted(packed, other_checkout, bench):
    bench("accept", str(packed[0]))
    answer = bench("verify")
    assert (answer.code, answer.err.count("were not in the pack of Ada")) == (0, 4)
    assert "4 trainings, 4 evaluations, 0 boards: everything verified" in answer.out
    folder = next(other_checkout.glob(f"results/trainings/**/{TRAINING}")).parent
    with pytest.raises(BenchError, match="ask for a pack with --weights, or run its suite again"):
        content(folder, read_record(folder / TRAINING), WEIGHTS)


def test_weights_are_added_to_records_that_lack_them(packed, other_checkout, bench, trained):
    bench("accept", str(packed[0]))
    file = str(other_checkout / "whole.pack")
    assert bench("--config", f"{trained}/bench.toml", "pack", "tiny", "--weights", "--out", file)
    answer = bench("accept", file)
    assert (answer.code, answer.err.count("this pack does not name who ran its rows")) == (2, 1)
    answer = bench("accept", file, "--by", "Grace")
    assert "4 trainings added, 4 evaluations here already" in answer.out
    assert bench("verify").err == ""
    assert len([*other_checkout.glob(f"results/trainings/*/*/*/{WEIGHTS}")]) == 4


def test_existing_records_are_not_overwritten(packed, trained, tmp_path, monkeypatch, bench):
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    answer = bench("accept", str(packed[0]))
    assert answer.out == f"run by {BY}: 4 trainings here already, 4 evaluations here already\n"
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_the_same_rows_give_the_same_bytes(packed, trained, bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = f"{trained}/bench.toml"
    assert bench("--config", config, "pack", "tiny", "--by", BY, "--out", "again.pack").code == 0
    assert (tmp_path / "again.pack").read_bytes() == packed[0].read_bytes()
    answer = bench("--config", config, "pack", "tiny", "--row", "* radial-ctc", "--json")
    assert json.loads(answer.out)["rows"] == {"cnn-bilstm · radial-ctc": 2}
    assert "cnn-bilstm · radial-ctc: 2 evaluations\nnobody is named" in answer.err
    assert len(pack_file.read_pack(tmp_path / "tiny.pack").keys("evaluation")) == 2
    (tmp_path / "notes.txt").write_text("mine")
    answer = bench("--config", config, "pack", "tiny", "--out", "notes.txt")
    assert (answer.code, "this file exists and is not a pack" in answer.err) == (2, True)
    os.mkfifo(tmp_path / "pipe")
    answer = bench("--config", config, "pack", "tiny", "--out", "pipe")
    assert (answer.code, "this file exists and is not a pack" in answer.err) == (2, True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.txt", "mine")
    answer = bench("--config", config, "pack", "tiny", "--out", "photos.zip")
    assert (answer.code, "this file exists and is not a pack" in answer.err) == (2, True)
    assert zipfile.ZipFile(tmp_path / "photos.zip").namelist() == ["photo.txt"]
    answer = bench("--config", config, "pack", "tiny", "--row", "nothing")
    assert (answer.code, "no row of the suite matches 'nothing'" in answer.err) == (3, True)


def test_records_that_would_be_refused_are_not_packed(trained, tmp_path, monkeypatch, bench):
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    record = next((tmp_path / "copy").glob("results/evaluations/**/evaluation.json"))
    record.write_text(record.read_text().replace('"samples": 179', '"samples": 180'))
    answer = bench("pack", "tiny")
    assert (answer.code, len(answer.err.splitlines())) == (5, 1)
    assert "its samples is 180, but the predictions give 179" in answer.err
    assert not [*(tmp_path / "copy").glob("*.pack")]


def test_a_suite_without_results_has_nothing_to_pack(home, bench):
    answer = bench("pack", "tiny")
    assert (answer.code, "run: bench run tiny" in answer.err) == (3, True)


def another_split(files):
    name = first(files, EVALUATION)
    edit(files, name, spec__test__fingerprints__test="0" * 16)
    record = json.loads(files[name])
    old, new = record["key"], digest(record["spec"])
    edit(files, name, key=new)
    for each in [each for each in files if each.startswith(f"evaluations/{old}/")]:
        files[each.replace(old, new)] = files.pop(each)


def perfect_readings(table):
    return with_column(table, "hypothesis", table["reference"].to_pylist())


def references_of_predictions(table):
    read = [each or "0" for each in table["hypothesis"].to_pylist()]
    return with_column(with_column(table, "reference", read), "hypothesis", read)


def repeated(table):
    ids = table["id"].to_pylist()
    return with_column(table, "id", [ids[1], *ids[1:]])


def with_unnamed_file(files):
    name = first(files, TRAINING)
    edit(files, name, files={WEIGHTS: json.loads(files[name])["files"][WEIGHTS]})
    files[name.replace(TRAINING, "last.safetensors")] = b"more"


TAMPERED = {
    "a forged metric": (
        lambda files: edit(files, first(files, EVALUATION), scores__cer=0.01),
        "its cer is 0.01, but the predictions give",
    ),
    "forged counts": (
        lambda files: forge(files, lambda t: with_column(t, "cer", [0] * len(t)), rescore=False),
        "cer of sample",
    ),
    "a missing sample": (
        lambda files: forge(files, lambda t: t.slice(1)),
        "it lacks 1 of the 179 samples of the test split, such as",
    ),
    "a repeated sample": (lambda files: forge(files, repeated), "occurs more than once"),
    "an unknown sample": (
        lambda files: forge(
            files, lambda t: with_column(t, "id", ["new", *t["id"].to_pylist()[1:]])
        ),
        "it has 1 samples that are not in the test split, such as 'new'",
    ),
    "another order": (
        lambda files: forge(files, lambda t: t.take(list(range(len(t)))[::-1])),
        "its samples are not in the order of the test split",
    ),
    "another split": (another_split, "it differs from suite 'tiny' here: test.fingerprints.test"),
    "other references": (
        lambda files: forge(files, references_of_predictions),
        "that of the test split is",
    ),
    "other key frames": (
        lambda files: forge(
            files, lambda t: with_column(t, "key_frames", t["aligned"].to_pylist())
        ),
        "key frames of sample",
    ),
    "properties that the data lack": (
        lambda files: forge(files, lambda t: with_properties(t, {"writer": ["w"] * len(t)})),
        "it has the writer of each sample, which the data here do not have; prepare",
    ),
    "an altered spec": (
        lambda files: edit(files, first(files, TRAINING), spec__recipe__epochs=400),
        "its spec gives",
    ),
    "an altered key": (
        lambda files: edit(files, first(files, EVALUATION), key="0" * 16),
        "its key is 0000000000000000, its spec gives",
    ),
    "an altered label": (
        lambda files: edit(files, first(files, EVALUATION), labels__model="better"),
        "its labels are",
    ),
    "an unknown schema": (
        lambda files: edit(files, first(files, EVALUATION), schema=99),
        "its schema is 99, this bench reads 3",
    ),
    "a record that is none": (
        lambda files: files.update({first(files, TRAINING): b'{"schema": 3}'}),
        "this is not a training of bench",
    ),
    "no training": (
        lambda files: [files.pop(name) for name in names(files, TRAINING)],
        "is not in the pack",
    ),
    "no predictions": (
        lambda files: files.pop(first(files, PREDICTIONS)),
        "its predictions are not in the pack",
    ),
    "predictions that are none": (
        not_parquet,
        "the predictions cannot be read",
    ),
    "no evaluation": (
        lambda files: [files.pop(name) for name in names(files, "") if "evaluations" in name],
        "no evaluation of it is in the pack",
    ),
    "other weights selected": (
        lambda files: edit(files, first(files, TRAINING), selected_step=1),
        "its selected step, 1, is not one of its curve",
    ),
    "files elsewhere": (
        lambda files: edit(
            files, first(files, TRAINING), files={WEIGHTS: "0" * 64, "../../bench.toml": "0" * 64}
        ),
        "this is not a training of bench",
    ),
    "a file that no record names": (
        with_unnamed_file,
        "does not name its file 'last.safetensors'",
    ),
    "markup on a board": (
        lambda files: edit(files, first(files, TRAINING), provenance__cpu="<img src=x>"),
        "would be markup on a board",
    ),
    "escape sequences": (
        lambda files: edit(files, first(files, TRAINING), provenance__cpu="\x1b[2J"),
        "which cannot be printed",
    ),
    "a negative time": (
        lambda files: edit(files, first(files, TRAINING), timings__training=-1.0),
        "Expected `float` >= 0",
    ),
    "no sources": (
        lambda files: edit(files, first(files, TRAINING), provenance__sources={}),
        "its provenance lists no source files of bench",
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_pack_is_refused(case, send, other_checkout, bench):
    change, said = TAMPERED[case]
    answer = bench("accept", str(send(change)))
    assert answer.code == 5, answer
    assert said in answer.err
    assert answer.out.endswith("nothing was added\n")
    assert all(line.startswith(f"{other_checkout}/sent.pack: ") for line in answer.err.splitlines())
    assert "\x1b" not in answer.err
    assert not [*other_checkout.glob("results/*")]


def test_invented_predictions_are_accepted_and_attributed(send, other_checkout, bench):
    # Predictions cannot be checked without running the row, so boards name who ran it.
    answer = bench("accept", str(send(lambda files: forge(files, perfect_readings))))
    assert (answer.code, answer.err) == (0, "")


def test_records_of_other_sources_are_noted(send, other_checkout, bench):
    def change(files):
        edit(files, first(files, TRAINING), provenance__sources={"training/trainer.py": "0"})

    answer = bench("accept", str(send(change)))
    assert answer.code == 0
    assert "made by another version of the code of bench: training/trainer.py" in answer.err


def test_another_suite_is_refused(send, other_checkout, bench):
    answer = bench("accept", str(send(suite="other")))
    assert (answer.code, "suite 'other', which" in answer.err) == (2, True)
    file = other_checkout / "bench.toml"
    file.write_text(
        file.read_text()
        .replace('"cnn-bilstm", width = 2', '"lenetpp", width = 2')
        .replace(", hidden = 4", "")
    )
    answer = bench("accept", str(send()))
    assert answer.code == 5
    assert "suite 'tiny' has no such row here; add it to bench.toml" in answer.err


def test_other_weights_of_the_same_training_are_refused(
    packed, trained, tmp_path, monkeypatch, bench
):
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    training = next((tmp_path / "copy").glob(f"results/trainings/**/{TRAINING}"))
    files = {training.name: training.read_bytes()}
    edit(files, training.name, files={WEIGHTS: "0" * 64})
    training.write_bytes(files[training.name])
    answer = bench("accept", str(packed[0]))
    assert answer.code == 5
    assert "has other weights of this training, so the evaluations are not of one row" in answer.err


def zipped(*entries, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for entry in entries:
            archive.writestr(entry, b"{}")
    return stream.getvalue()


def linked():
    info = zipfile.ZipInfo("pack.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


KEY = "0" * 16
HOSTILE = {
    "a path upward": (
        zipped("../pack.json"),
        "it has a file '../pack.json', which packs never have",
    ),
    "an absolute path": (zipped("/etc/passwd"), "it has a file '/etc/passwd'"),
    "a path within": (zipped(f"trainings/{KEY}/../{TRAINING}"), "which packs never have"),
    "a backslash": (zipped("trainings\\x"), "which packs never have"),
    "an escape sequence": (zipped("\x1b[2J"), "it has a file '\\x1b[2J'"),
    "pickled weights": (zipped(f"trainings/{KEY}/weights.pth"), "which packs never have"),
    "a link": (zipped(linked()), "'pack.json' is a link"),
    "a compressed file": (
        zipped("pack.json", compression=zipfile.ZIP_DEFLATED),
        "'pack.json' is compressed",
    ),
    "no manifest": (zipped(f"trainings/{KEY}/{TRAINING}"), "it has no pack.json"),
    "an empty manifest": (zipped("pack.json"), "pack.json: this is not a manifest of bench"),
    "no zip": (b"nothing of the kind", "it is not a zip file that can be read"),
    "a zip cut off": (zipped("pack.json")[:-30], "it is not a zip file that can be read"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_before_it_is_unpacked(case, tmp_path):
    content, said = HOSTILE[case]
    file = tmp_path / "hostile.pack"
    file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        pack_file.read_pack(file)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.code == 5
    assert [*tmp_path.iterdir()] == [file]


def test_two_files_with_one_name_are_refused(tmp_path):
    file = tmp_path / "twice.pack"
    with pytest.warns(UserWarning, match="Duplicate name"):
        file.write_bytes(zipped("pack.json", "pack.json"))
    with pytest.raises(BenchError, match=r"it has two files 'pack\.json'"):
        pack_file.read_pack(file)


def test_a_manifest_must_have_the_checksums_of_all_files(send, packed):
    file = send(files={})
    with pytest.raises(BenchError, match="its manifest lacks 'evaluations/"):
        pack_file.read_pack(file)
    held = one_evaluation(packed[1])
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    with pytest.raises(BenchError, match="it lacks 'more'"):
        pack_file.read_pack(send(files=checksums | {"more": "0"}))
    name = first(held, EVALUATION)
    with pytest.raises(BenchError, match="does not have the checksum of its manifest"):
        pack_file.read_pack(send(files=checksums | {name: "0"}))
    with pytest.raises(BenchError, match="its schema is 2, this bench reads 1"):
        pack_file.read_pack(send(schema=2))


@pytest.mark.parametrize("by", ["<b>", "a|b", "\x1b[31m", "x" * 81, "two\nlines"])
def test_a_name_that_boards_cannot_print_is_refused(by, send, trained, bench):
    with pytest.raises(BenchError, match="is not a name that boards can print"):
        pack_file.read_pack(send(by=by))
    assert bench("--config", f"{trained}/bench.toml", "pack", "tiny", "--by", by).code == 2


def test_a_missing_pack_is_reported(other_checkout, bench):
    answer = bench("accept", "nowhere.pack")
    assert (answer.code, "there is no such file" in answer.err) == (2, True)

"""Whatever the bytes of a result are, a verb ends with a documented code and short sentences."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from dataclasses import replace
from typing import Any

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st

from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.core.hashing import digest
from bench.core.printable import MAX_MESSAGE
from bench.leaderboards import publish, working
from bench.sweeps import report
from bench.sweeps.study import Study, ended
from bench.trials import store as disk

DOCUMENTED = {*Exit} - {Exit.INTERRUPTED}
TEXTS = ["", "x", "a" * 99, "\x1b]0;<script>\n"]
NESTED = [[], {}, [None], {"name": 3}, [[1], [2]], {"": {"": []}}]
NUMBERS = [None, True, -1, 0, 1, 2**62, 2**70, 1e308, -0.5]
ODD = st.sampled_from([*NUMBERS, *TEXTS, *NESTED]).map(copy.deepcopy)


@st.composite
def altered(draw, document: Any) -> Any:
    """Return a document in which a few values, keys or items are others or gone."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        inner = changed
        while True:
            places = [*inner] if isinstance(inner, dict) else [*range(len(inner))]
            if not places:
                break
            place = draw(st.sampled_from(places))
            if isinstance(inner[place], dict | list) and inner[place] and draw(st.booleans()):
                inner = inner[place]
                continue
            if draw(st.booleans()):
                inner[place] = draw(ODD)
            else:
                del inner[place]
            break
    return changed


def bytes_of(content: bytes) -> st.SearchStrategy[bytes]:
    """Return strategies of a file that is cut, or has other bytes somewhere."""
    cut = st.integers(0, len(content)).map(lambda end: content[:end])
    place = st.integers(0, max(len(content) - 1, 0))
    other = st.tuples(place, st.binary(min_size=1, max_size=4)).map(
        lambda change: content[: change[0]] + change[1] + content[change[0] + len(change[1]) :]
    )
    return st.one_of(cut, other, st.binary(max_size=64))


def assert_ends_well(answer) -> None:
    assert answer.code in DOCUMENTED
    assert answer.code == Exit.DONE or answer.err
    assert "Traceback" not in answer.err
    assert all(len(line) < 3 * MAX_MESSAGE for line in answer.err.splitlines())


@pytest.fixture
def results(home, trials, finish, leave, make_profile, store):
    """Leave a finished, profiled and published suite; return its first trial."""
    from bench.config import bench_toml

    finish(trials)
    store.keep(make_profile(next(iter(trials[0].evaluations.values()))))
    config = bench_toml.load(home / "bench.toml")
    suite = config.suite("tiny")
    working.write_working_board(config, suite)
    publish.publish(
        publish.prepare_publication(
            *working.compute_working_board(config, suite), config.leaderboards, partial=True
        ),
        config.leaderboards,
    )
    return trials[0]


@pytest.mark.parametrize("kind", ["training", "evaluation"])
@fuzzed(5)
@given(data=st.data())
def test_records(bench, store, results, kind, data):
    task = results.trainings[0] if kind == "training" else next(iter(results.evaluations.values()))
    source = store.folder(task)
    name = disk.RECORDS[kind]
    before = (source / name).read_bytes()
    document = data.draw(altered(json.loads(before)))
    if data.draw(st.booleans()):
        content = json.dumps(document).encode()
    else:
        content = data.draw(bytes_of(before))
    folder = source
    if data.draw(st.booleans()) and isinstance(document.get("spec"), dict):
        # As who alters it on purpose would: under the key of the altered spec.
        document["key"] = digest(document["spec"])
        content = json.dumps(document).encode()
        folder = source.with_name(f"seed0-{document['key']}")
        if folder != source:
            shutil.copytree(source, folder)
    (folder / name).write_bytes(content)
    try:
        for words in (("show", str(folder)), ("verify", str(folder)), ("status", "tiny", "--why")):
            assert_ends_well(bench(*words))
        if kind == "evaluation":
            assert_ends_well(bench("compare", str(folder), "tiny#1"))
    finally:
        if folder != source:
            shutil.rmtree(folder)
        (source / name).write_bytes(before)


@fuzzed(5)
@given(data=st.data())
def test_predictions(bench, store, results, data):
    folder = store.folder(next(iter(results.evaluations.values())))
    file, record = folder / disk.PREDICTIONS, folder / disk.EVALUATION
    before = file.read_bytes(), record.read_bytes()
    content = data.draw(bytes_of(before[0]))
    file.write_bytes(content)
    document = json.loads(before[1])
    document["files"][disk.PREDICTIONS] = hashlib.sha256(content).hexdigest()
    record.write_text(json.dumps(document))
    try:
        for words in (("verify", str(folder)), ("show", str(folder)), ("board", "tiny")):
            assert_ends_well(bench(*words))
    finally:
        file.write_bytes(before[0])
        record.write_bytes(before[1])


@fuzzed(5)
@given(data=st.data())
def test_boards(bench, home, results, data):
    folder = home / "leaderboards" / "tiny" / "v1"
    file = data.draw(st.sampled_from(sorted(folder.rglob("*.*"))))
    before = file.read_bytes()
    content = data.draw(bytes_of(before))
    if file.suffix == ".json" and data.draw(st.booleans()):
        content = json.dumps(data.draw(altered(json.loads(before)))).encode()
    file.write_bytes(content)
    try:
        for words in (
            ("board", "--check"),
            ("board", "diff", "tiny"),
            ("compare", "tiny/v1#1", "tiny/v1#2"),
        ):
            assert_ends_well(bench(*words))
    finally:
        file.write_bytes(before)


@fuzzed(5)
@given(data=st.data())
def test_profiles(bench, home, store, results, data):
    [file] = (home / "results" / "profiles").iterdir()
    before = file.read_bytes()
    document = data.draw(altered(json.loads(before)))
    if isinstance(document.get("spec"), dict):
        document["key"] = digest(document["spec"])
    file.write_text(json.dumps(document))
    evaluation = next(iter(results.evaluations.values()))
    try:
        for words in (("board", "tiny"), ("show", evaluation.key)):
            assert_ends_well(bench(*words))
    finally:
        file.write_bytes(before)


@fuzzed(5)
@given(data=st.data())
def test_journals_of_sweeps(study, data):
    params = {"recipe.learning_rate": 0.01, "recipe.optimizer": "adam", "model.hidden": 7}
    done = ended(replace(study.begin(params), scores=[0.5]), "done", seconds=1.0)
    file = study.root / "trials" / f"{done.key}.json"
    document = json.loads(documents.encode(done))
    file.write_text(json.dumps(data.draw(altered(document))))
    refused = ""
    try:
        fresh = Study(study.sweep, study.root.parents[1])
        report.as_markdown(report.report_of(fresh))
        report.as_text(report.report_of(fresh))
    except BenchError as error:
        refused = str(error)
    finally:
        file.unlink()
    assert not refused or str(file) in refused


@fuzzed(5)
@given(data=st.data())
def test_packs(bench, home, results, data):
    file = home / "rows.pack"
    if not file.exists():
        assert bench("pack", "tiny", "--out", str(file), "--by", "someone").code == 0
    before = file.read_bytes()
    file.write_bytes(data.draw(bytes_of(before)))
    try:
        assert_ends_well(bench("accept", str(file)))
    finally:
        file.write_bytes(before)

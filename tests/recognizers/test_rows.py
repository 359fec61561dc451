"""Recognizers from outside as rows of a board: run, resumed, selected, ranked, shown, verified."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench import synthetic
from bench.config import bench_toml
from bench.core import registry
from bench.core.errors import BenchError
from bench.data.reading.encoded_samples import encoded_samples
from bench.data.store import data_dir
from bench.evaluation import predictions
from bench.evaluation.sample_properties import with_properties
from bench.packs import split_samples
from bench.tasks.kept_readings import READINGS
from bench.trials import grid
from bench.trials.records import Acceptance
from bench.trials.selection import Selection
from bench.trials.store import EVALUATION, Store, read_record, write

SAMPLES = 30
SUITE = """\
[recipe.short]
epochs = 1
batch_size = 16
learning_rate = 0.01

[suite.words]
about = "What bench trains beside what it does not."
protocol = "str-36"
seeds = [0, 1]
train = [{ name = "synth90k", synthetic = true }]
tests = [{ name = "iiit5k", synthetic = true }]
models = [{ name = "crnn", width = 2, hidden = 4 }]
losses = ["ctc"]
recipe = "short"
recognizers = [
    { python = "reader.py:Reader", label = "own code" },
    { predictions = "others.csv", label = "others", trained_on = ["synth90k"] },
    { predictions = "perfect.csv", label = "perfect", trained_on = ["iiit5k"] },
]

[[suite.words.published]]
label = "CRNN of a paper"
source = "Example et al., 2020"
scores = { iiit5k-synthetic = 81.2 }
note = "trained on other data"

[suite.words.resources]
batch_size = 8
"""
READER = """\
class Reader:
    def __init__(self, text="the"):
        self.text = text

    def read(self, images):
        with open("calls.txt", "a") as file:
            file.write(f"{len(images)}\\n")
        return [self.text for _ in images]
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Return a folder of prepared data with a few synthetic words."""
    folder = tmp_path_factory.mktemp("words")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(data_dir.VARIABLE, str(folder / "data"))
        for name in ("iiit5k", "synth90k"):
            synthetic.generate_dataset(name, folder / name, SAMPLES)
            dataset = registry.make("dataset", name, {"synthetic": True})
            dataset.prepare(folder / name, lambda *_: None)
    return folder / "data"


@pytest.fixture
def texts(words, home, monkeypatch):
    """Return the transcript of each test sample, by id; the folder has the suite `words`."""
    monkeypatch.setenv(data_dir.VARIABLE, str(words))
    samples = encoded_samples(registry.make("dataset", "iiit5k", {"synthetic": True}))
    ids = [reference.id for reference in samples.references]
    transcripts = dict(zip(ids, samples.transcripts(), strict=True))
    (home / "bench.toml").write_text(SUITE)
    (home / "reader.py").write_text(READER)
    write_predictions(home / "perfect.csv", transcripts)
    some = {**dict([*transcripts.items()][2:]), "unknown": "x"}
    write_predictions(home / "others.csv", some)
    return transcripts


def write_predictions(file, texts):
    file.write_text("id,text\n" + "".join(f"{name},{text}\n" for name, text in texts.items()))


@pytest.fixture
def board(bench):
    """Return a function that runs the recognizers and returns exit code and rows by label."""

    def run(*options):
        arguments = ["run", "words", "--executor", "inline", "--no-profile", "--json", *options]
        answer = bench(*arguments)
        return answer, {row["label"]: row for row in json.loads(answer.out)["rows"]}

    return run


def test_rows_of_all_origins_are_ranked_in_one_table(texts, board, bench):
    answer, rows = board()
    assert answer.code == 0
    assert {label: row["origin"] for label, row in rows.items()} == {
        "perfect": "predictions",
        "others": "predictions",
        "own code": "pretrained",
        "crnn · ctc": "trained",
    }
    assert [rows[label]["rank"] for label in ("perfect", "others")] == [1, 2]
    scored = rows["others"]["averages"]["sequence-accuracy"]["weighted"]
    assert scored["mean"] == pytest.approx((len(texts) - 2) / len(texts))
    assert scored["std"] is None
    assert scored["low"] < scored["mean"] < scored["high"]
    assert rows["others"]["remarks"] == {"missing": 2, "unknown ids": 1}
    column = "iiit5k-synthetic"
    seen = {label: row["may_have_seen"] for label, row in rows.items()}
    assert seen == {"perfect": [column], "others": [], "own code": [column], "crnn · ctc": []}
    assert len(rows["crnn · ctc"]["seeds"]) == 2
    assert len(rows["own code"]["seeds"]) == 1
    assert bench("verify").code == 0
    page = bench("board", "words").out
    assert "Unusual readings: others: 2 missing, 1 unknown ids." in page
    assert "own code: not stated" in page
    assert "own code: `python(reader.py:Reader)`" in page.replace("\n", " ")
    assert "not excluded" in page
    assert "Published elsewhere, not ranked (accuracy %):" in page
    assert "81.20" in page
    refused = bench("board", "words", "--publish")
    assert "no valid latency of own code; crnn · ctc" in refused.err.replace(
        "crnn · ctc; own code", "own code; crnn · ctc"
    )
    assert bench("board", "words", "--publish", "--partial").code == 0
    assert bench("board", "--check").code == 0


def test_predictions_have_the_sizes_of_pictures(texts, home, board):
    board()
    dataset = registry.make("dataset", "iiit5k", {"synthetic": True})
    sizes = {each.id: each.pixels().shape[1::-1] for each in encoded_samples(dataset)}
    files = [*home.glob("results/**/predictions.parquet")]
    assert files
    for file in files:
        table = predictions.read_predictions(file)
        columns = (table[name].to_pylist() for name in ("property/width", "property/height"))
        assert [*zip(*columns, strict=True)] == [sizes[each] for each in table["id"].to_pylist()]
        samples = [split_samples.Sample(each, texts[each]) for each in table["id"].to_pylist()]
        assert [*split_samples.prediction_faults(table, samples, dataset)] == []
        wrong = with_properties(table.drop_columns("property/width"), {"width": [1] * len(table)})
        assert [*split_samples.prediction_faults(wrong, samples, dataset)] == [
            "the width of some samples is not that of the test split"
        ]


def test_finished_readings_are_reused_unless_the_reader_was_edited(texts, home, board, bench):
    board("-r", "python")
    assert (home / "calls.txt").read_text().split() == ["8", "8", "8", "6"]
    board("-r", "python")
    assert len((home / "calls.txt").read_text().split()) == 4
    (home / "reader.py").write_text(READER.replace('"the"', '"a"'))
    status = bench("status", "words", "--why")
    assert "stale" in status.out
    assert "source.reader.py: changed" in status.out
    board("-r", "python")
    assert len((home / "calls.txt").read_text().split()) == 8


def test_a_recognizer_without_training_data_has_an_empty_list(texts, home, board, bench):
    config = home / "bench.toml"
    config.write_text(SUITE.replace('label = "own code"', 'label = "own code", trained_on = []'))
    answer, rows = board("-r", "python")
    assert answer.code == 0
    assert rows["own code"]["may_have_seen"] == []
    assert "own code: none" in bench("board", "words").out


def test_a_dry_run_of_recognizers_names_no_trainings(texts, bench):
    lines = bench("run", "words", "-r", "*", "--dry-run").out.splitlines()
    assert "3 evaluations to run: no estimate yet" in lines
    assert not any("trainings to run" in line for line in lines)


def test_a_glob_that_matches_no_recognizer_lists_each_name_once(texts, home, board, bench):
    config = home / "bench.toml"
    config.write_text(SUITE.replace(', label = "own code"', ""))
    refused = bench("run", "words", "-r", "zzzzzzzz")
    assert refused.code == 3
    names = "there is others, perfect, predictions, python"
    assert refused.err.strip().endswith(f"no recognizer of the suite matches 'zzzzzzzz'; {names}")


def test_another_protocol_reuses_readings(texts, home, board, bench):
    board("-r", "python")
    config = home / "bench.toml"
    config.write_text(SUITE.replace('"str-36"', '"str-62"'))
    _, rows = board("-r", "python")
    assert rows["own code"]["rank"]
    assert len((home / "calls.txt").read_text().split()) == 4
    board("-r", "python", "--force")
    assert len((home / "calls.txt").read_text().split()) == 8


def test_predictions_of_others_are_marked_as_such(texts, home, board):
    board("-r", "python")
    (file,) = home.glob(f"results/evaluations/*/python/*/*/{EVALUATION}")
    theirs = Acceptance("Ada", "0" * 64, "2026-11-28T00:00:00+00:00")
    write(file, replace(read_record(file), accepted=theirs))
    (home / "bench.toml").write_text(SUITE.replace('"str-36"', '"str-62"'))
    board("-r", "python")
    assert len((home / "calls.txt").read_text().split()) == 8


def test_readings_before_a_fault_are_kept(texts, home, board, bench):
    good = "    def read(self, images):\n"
    fault = (
        "        import os\n"
        "        if os.path.getsize('calls.txt') >= int(open('limit.txt').read()):\n"
        "            raise OSError('out of paper')\n"
    )
    (home / "reader.py").write_text(READER.replace(good, good + fault))
    (home / "calls.txt").touch()
    (home / "limit.txt").write_text("4")
    answer, rows = board("-r", "python")
    assert answer.code == 1
    assert "out of paper" in answer.err
    assert "out of paper" in rows["own code"]["missing"][0]["why"]
    (kept,) = home.glob(f"results/evaluations/*/python/*/*/{READINGS}")
    assert len(kept.read_text().splitlines()) == 16
    kept.write_bytes(kept.read_bytes() + b'{"id": "ha')
    (home / "limit.txt").write_text("100")
    answer, rows = board("-r", "python")
    assert answer.code == 0
    assert (home / "calls.txt").read_text().split() == ["8", "8", "8", "6"]
    assert rows["own code"]["rank"]
    assert not kept.exists()


def test_recognizers_are_selected_by_their_own_option(texts, home):
    suite = bench_toml.load(home / "bench.toml").suite("words")
    trials = grid.trials(suite)

    def labels(**globs):
        return [grid.row_label(trial.entry) for trial in Selection(**globs).select(trials)]

    assert labels(recognizers=["pred*"]) == ["others", "perfect"]
    assert labels(models=["crnn"]) == ["crnn(width=2, hidden=4) · ctc"] * 2
    assert labels(models=["crnn"], recognizers=["python"]) == [
        "own code",
        *["crnn(width=2, hidden=4) · ctc"] * 2,
    ]
    assert labels(seeds={1}) == ["own code", "others", "perfect", "crnn(width=2, hidden=4) · ctc"]
    with pytest.raises(BenchError, match="no recognizer of the suite matches 'pyton'; did you"):
        labels(recognizers=["pyton"])


def test_the_remarks_of_a_record_are_few_and_in_one_line(texts, home, board, bench):
    head = "import itertools\nfrom bench.core.recognition import Reading\n"
    head += "numbers = itertools.count()\n"
    remark = "remark=f'odd\\n{next(numbers)}'"
    source = head + READER.replace("self.text for _", f"Reading(self.text, {remark}) for _")
    (home / "reader.py").write_text(source)
    board("-r", "python")
    (file,) = Store(home / "results").records("evaluation")
    remarks = json.loads(file.read_text())["remarks"]
    assert remarks["odd 1"] == 1
    assert remarks["other remarks"] == SAMPLES - 20
    assert sum(remarks.values()) == SAMPLES


def test_an_unusable_recognizer_does_not_stop_the_others(texts, home, board, bench):
    (home / "reader.py").unlink()
    answer, rows = board("-r", "*")
    assert answer.code == 1
    assert "left out: own code:" in answer.err
    assert "reader.py" in answer.err
    assert {*rows} >= {"perfect", "others"}
    assert "own code" not in rows
    # It is no fault if it is not selected, and the error is printed if nothing else is.
    assert board("-r", "predictions")[0].code == 0
    alone = bench("run", "words", "-r", "python")
    assert alone.code == 3
    assert "left out: own code:" in alone.err
    assert "left out: own code:" in bench("status", "words").err
    assert "left out: own code:" in bench("board", "words").err


def test_an_evaluation_of_a_recognizer_is_shown(texts, home, board, bench):
    board("-r", "predictions")
    records = Store(home / "results").records("evaluation")
    shown_record = bench("show", str(records[0].parent))
    assert shown_record.code == 0
    assert "predictions(" in shown_record.out
    assert "worst samples" in shown_record.out
    assert bench("show", str(records[0].parent), "--alignment").code == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '{ python = "reader.py:Reader", label = "own code" }',
            '"pyton"',
            "did you mean 'python'?",
        ),
        ('label = "others"', "label = 3", "'label' must be a text in quotes"),
        ('label = "others"', 'label = "a\\nb"', "'label' has 'a\\nb', which boards cannot print"),
        ('label = "others"', 'label = " "', "'label' has ' ', which boards cannot print"),
        ('label = "others"', 'label = "perfect"', "two recognizers are called 'perfect' on boards"),
        ('trained_on = ["synth90k"]', "trained_on = [5]", "'trained_on' has '5', which boards"),
        ('trained_on = ["synth90k"]', 'trained_on = "synth90k"', "'trained_on' must be a list"),
        ('label = "others"', 'recipe = "short"', "'recipe' is not a key of a recognizer"),
        ("iiit5k-synthetic = 81.2", "iit5k-synthetic = 81.2", "did you mean 'iiit5k-synthetic'?"),
        ('label = "others"', 'texts = "a"', "there is no key 'texts' here"),
        ('label = "perfect"', 'label = "others"', "two recognizers are called 'others' on boards"),
        ('predictions = "others.csv", ', "", "a recognizer must be a name, or a table"),
        ('"others.csv"', '"absent.csv"', "absent.csv"),
        ('"perfect.csv", label = "perfect", trained_on = ["iiit5k"]', '"others.csv"', "same trial"),
    ],
)
def test_a_wrong_recognizer_is_an_error_with_its_line(texts, home, bench, old, new, message):
    file = home / "bench.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    answer = bench("run", "words", "--dry-run")
    assert answer.code == 2
    assert "bench.toml:" in answer.err or "suite 'words':" in answer.err
    assert message in answer.err


def test_a_suite_of_recognizers_alone_trains_nothing(texts, home, bench):
    lines = SUITE.splitlines(keepends=True)
    kept = [
        line for line in lines if not line.startswith(("train =", "models", "losses", "recipe"))
    ]
    (home / "bench.toml").write_text("".join(kept))
    answer = bench("run", "words", "--executor", "inline", "--no-profile", "--json")
    assert answer.code == 0
    assert len(json.loads(answer.out)["rows"]) == 3
    seeds = bench("run", "words", "--seeds", "0")
    assert (seeds.code, "the suite trains nothing, so it has no seeds" in seeds.err) == (
        3,
        True,
    )
    (home / "bench.toml").write_text("".join(line for line in kept if not line.startswith("tests")))
    assert "requires 'tests'" in bench("run", "words").err

"""Records to rows: spreads over seeds, what is missing, and the order of ranks."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import suite as suites
from bench.data.datasets.seq_digits import SeqDigits
from bench.evaluation import protocols
from bench.leaderboards import aggregate, render
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid
from bench.trials import store as disk
from bench.trials.plan import Entry
from bench.trials.store import Attempt, Failure

WIDE = suites.Suite(
    name="wide",
    about="Two datasets, three models, two losses, two seeds.",
    protocol=protocols.find("digits"),
    datasets=(SeqDigits(digits=3), SeqDigits(digits=2)),
    models=tuple(CnnBiLSTM(width=width) for width in (3, 1, 2)),
    losses=(RadialCTC(), CTC()),
    seeds=(1, 0),
    training=suites.Recipe(1, 1, 1.0),
    resources=suites.Resources(),
    skip_incompatible=False,
)
TRIALS = grid.trials(WIDE)
outcomes = st.none() | st.tuples(st.integers(0, 4), st.integers(0, 3))
all_outcomes = st.lists(outcomes, min_size=len(TRIALS), max_size=len(TRIALS))


@pytest.fixture
def done(make_record):
    """Return a function that makes the entry of a finished trial."""

    def entry(trial, correct, edits=0, samples=100, length=400, **changes) -> Entry:
        record = make_record(
            trial, correct=correct, samples=samples, edits=edits, length=length, **changes
        )
        return Entry(trial, record=record)

    return entry


def failed(trial) -> Entry:
    return Entry(
        trial,
        failure=Failure(
            trial.key,
            trial.spec,
            trial.labels,
            trial.seed,
            [Attempt("error", "OSError: no", "2025")],
        ),
    )


def entries_of(make_record, results) -> list[Entry]:
    """Make an entry for each trial of WIDE from its correct samples and edits, or None."""
    return [
        Entry(trial)
        if result is None
        else Entry(
            trial,
            record=make_record(trial, correct=result[0], samples=4, edits=result[1], length=8),
        )
        for trial, result in zip(TRIALS, results, strict=True)
    ]


def test_mean_and_sample_deviation_over_the_seeds(suite, done):
    suite = replace(suite, seeds=(0, 1, 2, 3), losses=(CTC(),))
    counts = {0: (91, 7), 1: (84, 30), 2: (77, 12), 3: (100, 0)}
    entries = [done(trial, *counts[trial.seed]) for trial in grid.trials(suite)]
    board = aggregate.board(suite, entries)
    (row,) = board.rows
    accuracies = [correct / 100 for correct, _ in counts.values()]
    assert row.sequence_accuracy.mean == pytest.approx(statistics.mean(accuracies), rel=1e-15)
    assert row.sequence_accuracy.std == pytest.approx(statistics.stdev(accuracies), rel=1e-12)
    rates = [edits / 400 for _, edits in counts.values()]
    assert row.cer.mean == pytest.approx(statistics.mean(rates), rel=1e-15)
    assert row.cer.std == pytest.approx(statistics.stdev(rates), rel=1e-12)
    assert row.rank == 1
    assert row.missing == {}
    assert [seed.seed for seed in row.seeds] == board.seeds == [0, 1, 2, 3]


@settings(deadline=None, max_examples=60)
@given(counts=st.lists(st.integers(0, 7), min_size=1, max_size=6))
def test_a_spread_is_that_of_statistics(make_record, counts):
    suite = replace(
        WIDE,
        seeds=tuple(range(len(counts))),
        datasets=WIDE.datasets[:1],
        models=WIDE.models[:1],
        losses=(CTC(),),
    )
    entries = [
        Entry(
            trial,
            record=make_record(
                trial, correct=counts[trial.seed], samples=7, edits=counts[trial.seed], length=14
            ),
        )
        for trial in grid.trials(suite)
    ]
    (row,) = aggregate.board(suite, entries).rows
    for spread, whole in ((row.sequence_accuracy, 7), (row.cer, 14)):
        values = [count / whole for count in counts]
        assert spread.mean == pytest.approx(statistics.mean(values), abs=1e-15)
        if len(counts) == 1:
            assert spread.std is None
        else:
            assert spread.std == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_a_seed_tells_what_its_record_does(trials, suite, make_record):
    record = make_record(
        trials[0], correct=3, samples=7, edits=2, length=28, excluded={"empty reference": 2}
    )
    row = aggregate.board(suite, [Entry(trials[0], record=record)]).rows[0]
    assert row.seeds == [
        aggregate.Seed(
            seed=0,
            key=trials[0].key,
            sequence_accuracy=3 / 7,
            cer=2 / 28,
            samples=7,
            excluded={"empty reference": 2},
            training_seconds=10.0,
            commit="012345678",
        )
    ]
    assert row.parameters == 12345
    assert row.training_seconds == 10.0


def test_only_the_test_split_counts(trials, suite, done):
    entry = done(trials[0], 40)
    metrics = entry.record.metrics
    better = replace(metrics["test"], correct=99)
    record = replace(entry.record, metrics={"validation": better, "test": metrics["test"]})
    (row,) = aggregate.board(suite, [Entry(trials[0], record=record)]).rows
    assert row.sequence_accuracy.mean == 0.4


def test_training_seconds_are_the_mean_over_the_seeds(trials, suite, done):
    entries = [
        done(trial, 50, timings=disk.Timings(1, seconds, 1, 1))
        for trial, seconds in zip(trials[::2], (10.0, 15.0), strict=True)
    ]
    assert aggregate.board(suite, entries).rows[0].training_seconds == 12.5


def test_missing_seeds_are_told_with_why(suite, done):
    suite = replace(suite, seeds=(0, 1, 2, 3), losses=(CTC(),))
    zero, one, two, three = grid.trials(suite)
    older = done(replace(two, model=replace(two.model, width=9)), 10).record
    entries = [done(zero, 90), failed(one), Entry(two, stale=older), Entry(three)]
    (row,) = aggregate.board(suite, entries).rows
    assert [seed.seed for seed in row.seeds] == [0]
    assert row.sequence_accuracy == aggregate.Spread(0.9, None)
    assert row.missing == {"1": "error: OSError: no", "2": "stale", "3": "to do"}


def test_rows_without_a_record_stand_unranked_at_the_end(trials, suite, done):
    entries = [Entry(trials[0]), Entry(trials[2]), done(trials[1], 0, 400), Entry(trials[3])]
    rows = aggregate.board(suite, entries).rows
    assert [(row.rank, row.loss) for row in rows] == [(1, "radial-ctc"), (None, "ctc")]
    assert rows[0].missing == {"1": "to do"}
    last = rows[1]
    assert (last.sequence_accuracy, last.cer, last.parameters, last.training_seconds) == (None,) * 4
    assert (last.seeds, last.commits) == ([], [])
    assert last.missing == {"0": "to do", "1": "to do"}


def test_without_any_record_nothing_is_ranked(trials, suite):
    board = aggregate.board(suite, [Entry(trial) for trial in trials])
    assert [row.rank for row in board.rows] == [None, None]
    assert [row.loss for row in board.rows] == ["ctc", "radial-ctc"]
    assert board.hardware == []


def test_more_accuracy_goes_before_less_error(trials, suite, done):
    entries = [done(trials[0], 50, 1), done(trials[1], 51, 300)]
    rows = aggregate.board(suite, entries).rows
    assert [(row.rank, row.loss) for row in rows] == [(1, "radial-ctc"), (2, "ctc")]


def test_less_error_goes_first_at_the_same_accuracy(trials, suite, done):
    entries = [done(trials[0], 50, 31), done(trials[1], 50, 30)]
    rows = aggregate.board(suite, entries).rows
    assert [(row.rank, row.loss) for row in rows] == [(1, "radial-ctc"), (2, "ctc")]


def test_ties_share_a_rank_and_the_next_counts_them(done):
    suite = replace(WIDE, seeds=(0,), datasets=WIDE.datasets[:1])
    correct = [70, 80, 70, 90, 70, 80]
    entries = [done(trial, n) for trial, n in zip(grid.trials(suite), correct, strict=True)]
    rows = aggregate.board(suite, entries).rows
    assert [row.rank for row in rows] == [1, 2, 2, 4, 4, 4]
    assert [row.sequence_accuracy.mean for row in rows] == [0.9, 0.8, 0.8, 0.7, 0.7, 0.7]
    tied = [(row.model, row.loss) for row in rows[3:]]
    assert tied == sorted(tied)


@settings(deadline=None, max_examples=60)
@given(results=all_outcomes)
def test_ranks_count_who_is_better_on_the_same_dataset(make_record, results):
    board = aggregate.board(WIDE, entries_of(make_record, results))
    found: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for trial, result in zip(TRIALS, results, strict=True):
        group = found.setdefault(tuple(trial.labels.values()), [])
        if result is not None:
            group.append(result)
    scores = {
        names: (
            -statistics.fmean(correct / 4 for correct, _ in group),
            statistics.fmean(edits / 8 for _, edits in group),
        )
        for names, group in found.items()
        if group
    }
    assert len(board.rows) == len(found) == 12
    for row in board.rows:
        names = (row.dataset, row.model, row.loss)
        assert len(row.seeds) == len(found[names]) == 2 - len(row.missing)
        if names not in scores:
            assert row.rank is None
            continue
        better = [s for n, s in scores.items() if n[0] == row.dataset and s < scores[names]]
        assert row.rank == 1 + len(better)
    datasets = [row.dataset for row in board.rows]
    assert datasets == sorted(datasets)
    for _, group in itertools.groupby(board.rows, key=lambda row: row.dataset):
        ranks = [row.rank or 99 for row in group]
        assert ranks == sorted(ranks)


@settings(deadline=None, max_examples=40)
@given(results=all_outcomes, order=st.permutations(range(len(TRIALS))))
def test_the_order_of_entries_is_no_matter(make_record, results, order):
    entries = entries_of(make_record, results)
    board = aggregate.board(WIDE, entries)
    again = aggregate.board(WIDE, [entries[place] for place in order])
    assert render.to_json(again) == render.to_json(board)
    assert render.markdown(again) == render.markdown(board)
    assert render.text(again) == render.text(board)


@settings(deadline=None, max_examples=40)
@given(results=all_outcomes, order=st.permutations(range(12)))
def test_what_a_board_keeps_of_its_seeds_gives_it_again(make_record, results, order):
    board = aggregate.board(WIDE, entries_of(make_record, results), version=3)
    nothing = aggregate.Spread(0.5, None)
    shuffled = [
        replace(board.rows[place], rank=7, sequence_accuracy=nothing, cer=nothing)
        for place in order
    ]
    assert aggregate.recomputed(replace(board, rows=shuffled)) == board


def test_the_board_tells_its_suite(suite, trials, done):
    board = aggregate.board(suite, [done(trials[0], 1)])
    assert (board.suite, board.about) == ("tiny", "Two digits, one epoch, seconds.")
    assert board.protocol == "digits v1"
    assert board.protocol_about == suite.protocol.about


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "012345678"),
        ({"dirty": True}, "012345678+"),
        ({"commit": None}, "v0.1.0"),
    ],
)
def test_commits(suite, trials, done, change, shown):
    entry = done(trials[0], 1)
    origin = replace(entry.record.provenance, **change)
    record = replace(entry.record, provenance=origin)
    (row,) = aggregate.board(suite, [Entry(trials[0], record=record)]).rows
    assert row.commits == [shown]


def test_commits_of_a_row_stand_once_in_order_of_seeds(suite, done, make_record):
    suite = replace(suite, seeds=(3, 0, 2, 1), losses=(CTC(),))
    origin = make_record(grid.trials(suite)[0], correct=1, samples=1, edits=0, length=1).provenance
    commits = ["b" * 40, "a" * 40, "b" * 40, "a" * 40]
    entries = [
        done(trial, 1, provenance=replace(origin, commit=commits[trial.seed]))
        for trial in grid.trials(suite)
    ]
    assert aggregate.board(suite, entries).rows[0].commits == ["b" * 9, "a" * 9]


def test_hardware_is_what_the_trials_ran_on(trials, suite, done):
    origin = done(trials[0], 1).record.provenance
    origins = [
        replace(origin, threads=2),
        replace(origin, gpu="Some GPU"),
        replace(origin, gpu="Some GPU"),
        origin,
    ]
    entries = [
        done(trial, 1, provenance=found) for trial, found in zip(trials, origins, strict=True)
    ]
    assert aggregate.board(suite, entries).hardware == [
        "Example CPU @ 2.50GHz, 1 thread a trial",
        "Example CPU @ 2.50GHz, 2 threads a trial",
        "Some GPU, 1 thread a trial",
    ]


def test_rows_have_the_speeds_of_their_profiles(trials, suite, done, make_profile):
    entries = [done(trials[0], 50), Entry(trials[1]), Entry(trials[2]), Entry(trials[3])]
    made = aggregate.board(suite, entries, [make_profile(trials[2])])
    first, second = made.rows
    assert first.speed.milliseconds == {"1": 2.0, "24": 4.0}
    assert second.speed is None
    assert made.speed_hardware == "Example CPU, 1 of 2 cores"
    assert made.other_hardware == []


def test_a_board_is_rebuilt_from_its_json(trials, suite, done, make_profile):
    made = aggregate.board(suite, [done(trials[0], 50)], [make_profile(trials[0], reason="busy")])
    document = msgspec.json.decode(render.to_json(made))
    assert msgspec.convert(document["board"], aggregate.Board) == made


def test_a_protocol_may_rank_by_its_error_rate(suite, trials, done):
    by_error = replace(suite, protocol=replace(suite.protocol, ranked_by="error rate"))
    entries = [done(trials[0], correct=60, edits=80), done(trials[1], correct=50, edits=70)]
    for ranked, first in ((suite, trials[0]), (by_error, trials[1])):
        made = aggregate.board(ranked, entries)
        assert made.rows[0].loss == first.loss.label
        assert [row.rank for row in made.rows] == [1, 2]
        assert aggregate.recomputed(made) == made

"""Boards of any size with plausible numbers: what pages and figures are tried on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.leaderboards.board import (
    Board,
    BoardColumn,
    BoardMetric,
    LearningPoint,
    Row,
    SeedResult,
)
from bench.leaderboards.ranking import with_scores
from bench.leaderboards.samples.column_counts import ColumnCounts, smallest_integers
from bench.leaderboards.samples.properties import RATIOS
from bench.leaderboards.speed import Speed

ACCURACY = BoardMetric(
    "sequence-accuracy", "accuracy", "%", higher_is_better=True, max_value=1.0, signed=False
)
CER = BoardMetric("cer", "CER", "%", higher_is_better=False, max_value=None, signed=False)
TESTS = ("iiit5k", "svt", "ic03-867", "ic13-857", "ic15-1811", "cute80")
_MODELS = ("crnn", "svtr-tiny", "vitstr-tiny", "cnn-bilstm", "abinet-vision", "cnn-attention")
_LOSSES = ("ctc", "enctc", "focal-ctc", "radial-ctc", "prior-ctc", "ce", "ace", "cr-ctc")
_HARDWARE = "A processor, 1 of 2 cores"


def synthetic_board(
    rows: int = 60,
    tests: int = 6,
    samples: int = 400,
    seeds: int = 3,
    random: int = 0,
) -> tuple[Board, dict[str, ColumnCounts]]:
    """Return a board with its counts.

    Every fifth row is pretrained, of a single seed and without a recipe; the last row lacks a seed
    on the last test set, and has no rank.

    Args:
        rows: How many entries it has.
        tests: How many test sets it has, each a tenth smaller than the one before it.
        samples: How many samples the first test set has.
        seeds: How many seeds each trained row has.
        random: The seed of all numbers.
    """
    numbers = np.random.default_rng(random)
    names = [TESTS[n] if n < len(TESTS) else f"test-{n}" for n in range(tests)]
    made = [_row(place, names, seeds, numbers, lacking=place == rows - 1) for place in range(rows)]
    skills = np.sort(numbers.normal(1.2, 0.8, rows))[::-1]
    counts = {
        name: _counts(name, int(samples * 0.9**n), made, skills, numbers)
        for n, name in enumerate(names)
    }
    board = Board(
        suite="synthetic",
        version=1,
        about="A board of made-up numbers.",
        protocol="str-36 v1",
        protocol_about="Letters and digits, case ignored.",
        identity={"tests": names},
        metrics=[ACCURACY, CER],
        ranked_by=ACCURACY.name,
        average="weighted",
        columns=[BoardColumn(name, name, counts[name].samples) for name in names],
        seeds=[*range(seeds)],
        rows=made,
        speed_hardware=_HARDWARE,
    )
    return with_scores(board, counts), counts


def _row(
    place: int, names: list[str], seeds: int, numbers: np.random.Generator, *, lacking: bool
) -> Row:
    trained = place % 5 != 4
    model = _MODELS[place % len(_MODELS)]
    loss = _LOSSES[place // len(_MODELS) % len(_LOSSES)]
    again = place // (len(_MODELS) * len(_LOSSES))
    results = [_seed_result(place, seed, names, numbers) for seed in range(seeds if trained else 1)]
    if lacking:
        del results[-1].evaluations[names[-1]]
    weights = int(10 ** numbers.uniform(5.5, 8))
    milliseconds = float(round(10 ** numbers.uniform(0, 2.5), 3))
    shown = f"{model} · {loss}" if trained else f"A reader of others, number {place}"
    return Row(
        entry=f"{place:016x}",
        label=f"{shown} {again}" if again else shown,
        origin="trained" if trained else "pretrained",
        timed=True,
        model=f"{model}(width={16 + again})" if trained else f"onnx(onnx=reader-{place}.onnx)",
        loss=loss if trained else "",
        decoder="greedy" if trained else "",
        input="32×100 gray" if trained else "",
        train=["synth90k"] if trained else None,
        may_have_seen=[] if trained else names[:1],
        recipe={"epochs": 4, "learning_rate": 0.001} if trained else {},
        tuning=None,
        seeds=results if trained else [replace(results[0], trainings=[], curves={})],
        missing=[],
        parameters=[weights],
        hardware=["A processor, 1 thread per training"] if trained else [],
        speed={
            name: Speed(
                profile=f"{place + 4096:016x}",
                macs=weights * 50,
                milliseconds={"1": milliseconds, "24": round(milliseconds * 11, 3)},
                reasons={},
            )
            for name in names
        },
    )


def _seed_result(
    place: int, seed: int, names: list[str], numbers: np.random.Generator
) -> SeedResult:
    key = f"{place:06x}{seed:02x}"
    floor, pace = numbers.uniform(0.02, 0.4), numbers.uniform(0.4, 1.5)
    curve = [
        LearningPoint(
            epoch=float(epoch),
            loss=round(float(3 * np.exp(-pace * epoch) + floor), 6),
            label_error_rate=round(float(min(1, np.exp(-pace * epoch) + floor)), 6),
        )
        for epoch in range(1, 13)
    ]
    return SeedResult(
        seed=seed,
        trainings=[f"{key}ffffffff"],
        evaluations={name: f"{key}{n:08x}" for n, name in enumerate(names)},
        scores={},
        training_seconds=float(round(numbers.uniform(60, 4000), 1)),
        revisions=["0123abcde"],
        curves={f"{key}ffffffff": curve},
    )


def _counts(
    name: str, samples: int, rows: list[Row], skills: np.ndarray, numbers: np.random.Generator
) -> ColumnCounts:
    """Return counts in which samples that are hard for one row are hard for others as well."""
    lengths = numbers.integers(1, 15, samples)
    hardness = numbers.normal(0, 1.5, samples) + (lengths - 7) / 10
    counts = ColumnCounts.build(
        [f"test/{n}" for n in range(samples)],
        {ACCURACY.name: [1] * samples, CER.name: lengths.tolist()},
        {ACCURACY.name: {}, CER.name: {}},
        {"aspect ratio": np.array(RATIOS)[1 + np.digitize(lengths, (5, 9))]},
    )
    for place, row in enumerate(rows):
        for result in row.seeds:
            if name not in result.evaluations:
                continue
            key = result.evaluations[name]
            margin = skills[place] + numbers.normal(0, 0.1) - hardness
            wrong = margin + numbers.logistic(0, 0.5, samples) < 0
            edits = np.minimum(1 + numbers.poisson(0.7, samples), lengths) * wrong
            counts.numerators[ACCURACY.name][key] = smallest_integers(1 - wrong)
            counts.numerators[CER.name][key] = smallest_integers(edits)
    return counts

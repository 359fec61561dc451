"""Time metrics and `bench score` beside other tools, in the same rounds.

`nox -s speed -- metrics` prints a table for each of `TABLES`: seconds, and ratios to bench's. Texts
are random, of the sizes of IAM's test split and of six scene-text benchmarks together; paths are
of the size of a test split of `seq-digits`.
"""

from __future__ import annotations

import random
import statistics
import string
import time
from collections.abc import Callable

import jiwer
import rapidfuzz.distance
from rich.console import Console
from rich.table import Table
from torchmetrics.functional.text import char_error_rate

from bench.evaluation import protocols
from bench.evaluation.metrics.localization import LocatedReading
from bench.evaluation.metrics.mean_average_precision import mean_average_precision
from bench.evaluation.metrics.metric import metrics_of
from bench.evaluation.metrics.readings import normalize_samples
from bench.evaluation.metrics.scoring import Sample, score_samples
from bench.evaluation.predictions import Predictions

ROUNDS = 5
LINES, LINE_LENGTH, LINE_ERRORS = 2_915, 43, 0.05
WORDS, WORD_LENGTH, WORD_ERRORS = 12_067, 6, 0.03
SEQUENCES, LABELS = 2_500, 4
Texts = tuple[list[str], list[str]]


def pairs(count: int, length: int, errors: float, letters: str) -> Texts:
    """Return references and hypotheses in which so many letters are substituted or lost."""
    draw = random.Random(0)  # noqa: S311 (texts, no secrets)
    references = ["".join(draw.choices(letters, k=length)) for _ in range(count)]
    hypotheses = [
        "".join(
            draw.choice(["", draw.choice(letters)]) if draw.random() < errors else letter
            for letter in reference
        )
        for reference in references
    ]
    return references, hypotheses


def paths() -> list[LocatedReading]:
    """Return sequences of four digits with paths that mostly read them, each span with a score."""
    draw = random.Random(0)  # noqa: S311 (paths, no secrets)
    samples = []
    for _ in range(SEQUENCES):
        reference = [draw.choice(string.digits) for _ in range(LABELS)]
        read = [draw.choice(string.digits) if draw.random() < 0.1 else d for d in reference]
        path = [0]
        for digit in read:
            before, width = draw.randint(0, 1), draw.randint(1, 2)
            path += [0] * before + [int(digit) + 1] * width + [0] * (4 - before - width)
        keys = [4 * place + 2 for place in range(LABELS)]
        scores = [draw.random() for _ in range(LABELS)]
        samples.append(LocatedReading(reference, read, path, keys, keys, scores))
    return samples


def seconds(calls: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds of each call, the median of `rounds`."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


def count(name: str, texts: Texts) -> None:
    """Count all metrics of a protocol."""
    protocol = protocols.find_protocol(name)
    _, _, readings = normalize_samples(protocol, texts[0], *texts)
    for metric in metrics_of(protocol):
        metric.counts(readings)


def predict(name: str, texts: Texts) -> None:
    """Make the table of predictions."""
    predictions = Predictions(protocols.find_protocol(name))
    for reference, hypothesis in zip(*texts, strict=True):
        predictions.add(reference, reference, hypothesis)
    predictions.table()


def score_texts(name: str, texts: Texts) -> None:
    """Score as `bench score` does: with alignments, confusions and lengths."""
    score_samples(
        protocols.find_protocol(name), (Sample("", *pair) for pair in zip(*texts, strict=True))
    )


def naive(texts: Texts) -> float:
    """Return the CER by the table that every textbook has."""
    errors = 0
    for reference, hypothesis in zip(*texts, strict=True):
        row = list(range(len(hypothesis) + 1))
        for letter in reference:
            before, row[0] = row[0], row[0] + 1
            for place, other in enumerate(hypothesis, 1):
                step = min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
                before, row[place] = row[place], step
        errors += row[-1]
    return errors / sum(map(len, texts[0]))


def rapid(texts: Texts) -> float:
    """Return the CER by rapidfuzz, one call per line."""
    distance = rapidfuzz.distance.Levenshtein.distance
    return sum(distance(*pair) for pair in zip(*texts, strict=True)) / sum(map(len, texts[0]))


def lines() -> Table:
    """Time lines of handwriting: bench, and the CERs of others."""
    texts = pairs(LINES, LINE_LENGTH, LINE_ERRORS, string.ascii_letters + " .,")
    table = Table(f"{LINES:,} lines of {LINE_LENGTH}", "s", "× bench")
    slow = seconds({"table in Python": lambda: naive(texts)}, rounds=1)
    taken = seconds(
        {
            "bench, counts (htr-raw)": lambda: count("htr-raw", texts),
            "bench, predictions (htr-raw)": lambda: predict("htr-raw", texts),
            "bench score (htr-iam)": lambda: score_texts("htr-iam", texts),
            "rapidfuzz": lambda: rapid(texts),
            "jiwer": lambda: jiwer.cer(*texts),
            "torchmetrics": lambda: char_error_rate(texts[1], texts[0]),
        }
    )
    base = taken["bench, counts (htr-raw)"]
    for name, median in (taken | slow).items():
        table.add_row(name, f"{median:.3f}", f"{median / base:.1f}")
    return table


def words() -> Table:
    """Time scene text under three protocols."""
    texts = pairs(WORDS, WORD_LENGTH, WORD_ERRORS, string.ascii_letters + string.digits + "-'")
    table = Table(f"{WORDS:,} words of {WORD_LENGTH}", "s", "× bench")
    three = ("str-36", "str-62", "str-94")
    taken = seconds(
        {
            "bench, counts, three protocols": lambda: [count(name, texts) for name in three],
            "bench, predictions, likewise": lambda: [predict(name, texts) for name in three],
            "bench score, three protocols": lambda: [score_texts(name, texts) for name in three],
            "jiwer, three times": lambda: [jiwer.cer(*texts) for _ in three],
        }
    )
    base = taken["bench, counts, three protocols"]
    for name, median in taken.items():
        table.add_row(name, f"{median:.3f}", f"{median / base:.1f}")
    return table


def localization() -> Table:
    """Time mAP with its jackknife."""
    samples = paths()
    table = Table(f"{SEQUENCES:,} sequences of {LABELS} digits", "s")
    (taken,) = seconds({"": lambda: mean_average_precision(samples)}, rounds=3).values()
    table.add_row("mAP, and without each sample", f"{taken:.3f}")
    return table


TABLES: list[Callable[[], Table]] = [lines, words, localization]


def main() -> None:
    """Print the tables."""
    Console().print(*(table() for table in TABLES))


if __name__ == "__main__":
    main()

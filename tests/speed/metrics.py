"""Metrics, text in and numbers out, beside the peers' in the same rounds.

`nox -s speed -- metrics` prints a table for each of `TABLES`: seconds, and ratios to bench's. Texts
are random, of the sizes of IAM's test split and of six scene-text benchmarks together.
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
from bench.evaluation.metrics.count_errors import compare
from bench.evaluation.metrics.error_rates import error_rates
from bench.evaluation.metrics.scoring import Sample, score

ROUNDS = 5
LINES, LINE_LENGTH, LINE_ERRORS = 2_915, 43, 0.05
WORDS, WORD_LENGTH, WORD_ERRORS = 12_067, 6, 0.03


def pairs(count: int, length: int, errors: float, letters: str) -> tuple[list[str], list[str]]:
    """Return references and readings in which so many letters are substituted or lost."""
    draw = random.Random(0)  # noqa: S311 (texts, no secrets)
    references = ["".join(draw.choices(letters, k=length)) for _ in range(count)]
    readings = [
        "".join(
            draw.choice(["", draw.choice(letters)]) if draw.random() < errors else letter
            for letter in reference
        )
        for reference in references
    ]
    return references, readings


def seconds(calls: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds of each call, the middle one of `rounds`."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in taken.items()}


def counted(protocol: str, references: list[str], readings: list[str]) -> float:
    """Return the CER as a trial's predictions give it."""
    rules = protocols.find(protocol)
    found = zip(references, readings, strict=True)
    return error_rates(compare(rules, *rules.pair(*texts)) for texts in found).cer


def scored(protocol: str, references: list[str], readings: list[str]) -> float:
    """Return the CER as `bench score` does: with alignments, confusions and lengths."""
    found = zip(references, readings, strict=True)
    return score(protocols.find(protocol), (Sample("", *texts) for texts in found)).cer


def naive(references: list[str], readings: list[str]) -> float:
    """Return the CER by the table that every textbook has."""
    errors = 0
    for reference, reading in zip(references, readings, strict=True):
        row = list(range(len(reading) + 1))
        for letter in reference:
            before, row[0] = row[0], row[0] + 1
            for place, other in enumerate(reading, 1):
                step = min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
                before, row[place] = row[place], step
        errors += row[-1]
    return errors / sum(map(len, references))


def rapid(references: list[str], readings: list[str]) -> float:
    """Return the CER by rapidfuzz, a call a line."""
    distance = rapidfuzz.distance.Levenshtein.distance
    found = zip(references, readings, strict=True)
    return sum(distance(*texts) for texts in found) / sum(map(len, references))


def lines() -> Table:
    """Time lines of handwriting: bench, and the CERs of others."""
    texts = pairs(LINES, LINE_LENGTH, LINE_ERRORS, string.ascii_letters + " .,")
    table = Table(f"{LINES:,} lines of {LINE_LENGTH}", "s", "× bench")
    slow = seconds({"table in Python": lambda: naive(*texts)}, rounds=1)
    taken = seconds(
        {
            "bench, counts (htr-raw)": lambda: counted("htr-raw", *texts),
            "bench score (htr-iam)": lambda: scored("htr-iam", *texts),
            "rapidfuzz": lambda: rapid(*texts),
            "jiwer": lambda: jiwer.cer(*texts),
            "torchmetrics": lambda: char_error_rate(texts[1], texts[0]),
        }
    )
    base = taken["bench, counts (htr-raw)"]
    for name, found in (taken | slow).items():
        table.add_row(name, f"{found:.3f}", f"{found / base:.1f}")
    return table


def words() -> Table:
    """Time scene text under three protocols."""
    texts = pairs(WORDS, WORD_LENGTH, WORD_ERRORS, string.ascii_letters + string.digits + "-'")
    table = Table(f"{WORDS:,} words of {WORD_LENGTH}", "s", "× bench")
    three = ("str-36", "str-62", "str-94")
    taken = seconds(
        {
            "bench, counts, three protocols": lambda: [counted(p, *texts) for p in three],
            "bench score, three protocols": lambda: [scored(p, *texts) for p in three],
            "jiwer, three times": lambda: [jiwer.cer(*texts) for _ in three],
        }
    )
    base = taken["bench, counts, three protocols"]
    for name, found in taken.items():
        table.add_row(name, f"{found:.3f}", f"{found / base:.1f}")
    return table


TABLES: list[Callable[[], Table]] = [lines, words]


def main() -> None:
    """Print the tables."""
    Console().print(*(table() for table in TABLES))


if __name__ == "__main__":
    main()

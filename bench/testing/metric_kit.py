"""The contract of metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property, partial
from typing import NamedTuple
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from bench.core.names import name_fault
from bench.evaluation.metrics.localization import LocalizationColumns
from bench.evaluation.metrics.metric import Counts, Metric, find_metric
from bench.evaluation.metrics.readings import Readings
from bench.evaluation.protocols import PROTOCOLS, Protocol
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    Kit,
    requires,
)
from bench.testing.global_state import changes, drawn_generators, global_state

_TEXTS = {
    "gloss": (["I", "YOU RAIN", "SUN RAIN NORTH", "TODAY"], ["I", "YOU", "SUN NORTH", "WIND"]),
    "character": (["1", "12", "1123", "90"], ["1", "1", "123", "7"]),
}
"""References, and hypotheses of which the first alone is correct, for each unit."""


def metric_checks(metric: Metric | str) -> list[Check]:
    """Return the checks of a metric, or of that of a name, for `pytest.mark.parametrize`."""
    return MetricKit(_metric(metric)).tests()


def check_metric(metric: Metric | str) -> list[CheckResult]:
    """Check a metric, or that of a name; return the result of each check."""
    return MetricKit(_metric(metric)).run()


def _metric(metric: Metric | str) -> Metric:
    return find_metric(metric) if isinstance(metric, str) else metric


class MetricKit(Kit):
    """What tables, boards and intervals require of a metric.

    Args:
        metric: The metric.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    @requires("It has a name, a title, a direction, and values that can be printed and hashed.")
    def identity(self) -> None:
        """Check the attributes of the metric."""
        metric = self.metric
        for attribute in ("name", "title", "higher_is_better"):
            if not hasattr(metric, attribute):
                raise ContractError(f"it has no {attribute}; set it in the class")
        if fault := name_fault("metric", metric.name):
            raise ContractError(fault)
        if not isinstance(metric.higher_is_better, bool):
            raise ContractError("higher_is_better is not True or False; set the direction")
        if not isinstance(metric.format(0.5), str):
            raise ContractError("format(0.5) does not return a text")
        json.dumps(metric.spec())

    @requires("It is defined for some protocol.")
    def protocols(self) -> None:
        """Ask which protocols it is defined for."""
        if not self._protocols:
            raise ContractError(
                f"defined_for() is False for each of {', '.join(PROTOCOLS)}; return True where its "
                'rules suit, such as protocol.unit == "character"'
            )

    @requires("Counts are two integers per sample: int64, denominators of at least 0.")
    def integer_counts(self) -> None:
        """Check the counts of a few samples under each protocol."""
        for texts in self._all_texts:
            counts = self._counts(texts)
            for name, values in zip(Counts._fields, counts, strict=True):
                if not isinstance(values, np.ndarray) or values.dtype != np.int64:
                    kind = getattr(values, "dtype", type(values).__name__)
                    raise ContractError(
                        f"{name} are {kind} under {texts.protocol.name}; return arrays of "
                        "np.int64, and scale fractions by PARTS_PER_MILLION"
                    )
                samples = len(texts.references)
                if values.shape != (samples,):
                    raise ContractError(
                        f"{name} have shape {values.shape} for {samples} samples under "
                        f"{texts.protocol.name}; return one value per sample, in their order"
                    )
                if (values < 0).any() and not (self.metric.whole_corpus and name == "numerators"):
                    raise ContractError(f"{name} are {values.tolist()}; none may be below 0")

    @requires("Denominators depend on the references alone.")
    def denominators(self) -> None:
        """Compare the denominators of correct and wrong hypotheses."""
        for texts in self._all_texts:
            perfect = texts._replace(hypotheses=texts.references)
            wrong, right = (self._counts(each).denominators for each in (texts, perfect))
            if wrong.tolist() != right.tolist():
                raise ContractError(
                    f"denominators are {wrong.tolist()}, and {right.tolist()} where everything is "
                    f"read correctly, under {texts.protocol.name}; count in the references, or "
                    "two entries cannot be compared sample by sample"
                )

    @requires("Identical texts have the best value there is, and wrong texts a worse one.")
    def direction(self) -> None:
        """Compare the values of correct, partly correct and empty hypotheses."""
        for texts in self._all_texts:
            protocol, references = texts.protocol, texts.references
            best = self._value(texts._replace(hypotheses=references))
            partly = self._value(texts)
            empty = self._value(texts._replace(hypotheses=[""] * len(references)))
            if not self.metric.higher_is_better and best != 0:
                raise ContractError(
                    f"identical texts have {best:.6g} under {protocol.name}; an error is 0 for "
                    "them, or set higher_is_better = True"
                )
            sign = 1 if self.metric.higher_is_better else -1
            if not sign * best > sign * partly or sign * best <= sign * empty:
                raise ContractError(
                    f"identical texts have {best:.6g}, wrong ones {partly:.6g} and empty ones "
                    f"{empty:.6g} under {protocol.name}; with higher_is_better = "
                    f"{self.metric.higher_is_better}, identical texts have to be best"
                )
            if best > self.metric.max_value:
                raise ContractError(
                    f"the value {best:.6g} is above max_value = {self.metric.max_value}; set "
                    "max_value to the largest value there can be"
                )

    @requires("The counts of a sample do not depend on the order of samples.")
    def sample_order(self) -> None:
        """Compare the counts of samples with those in another order."""
        order = [2, 0, 3, 1]
        for texts in self._all_texts:
            permuted = texts.rows(order)
            for name, before, after in zip(
                Counts._fields, self._counts(texts), self._counts(permuted), strict=True
            ):
                if before[order].tolist() != after.tolist():
                    raise ContractError(
                        f"{name} are {before.tolist()}, and {after.tolist()} for the same samples "
                        f"in the order {order}; count each sample by itself"
                    )

    @requires("The counts of a sample do not depend on other samples, unless it says so.")
    def batches(self) -> None:
        """Compare the counts of all samples with those of each alone."""
        if self.metric.whole_corpus:
            raise SkipTest("whole_corpus is set")
        for texts in self._all_texts:
            counts = self._counts(texts)
            for row in range(len(texts.references)):
                alone = self._counts(texts.rows([row]))
                if [values[row] for values in counts] != [values[0] for values in alone]:
                    raise ContractError(
                        f"the counts of sample {row} are others when it is counted alone; count "
                        "each sample by itself, or set whole_corpus = True"
                    )

    @requires("Hypotheses may be empty, and longer than their references.")
    def unusual_texts(self) -> None:
        """Count samples with empty and very long hypotheses."""
        for texts in self._all_texts:
            references, separator = texts.references, texts.protocol.separator
            longer = [separator.join([text] * 20) for text in references]
            for hypotheses in ([""] * len(references), longer):
                value = self._value(texts._replace(hypotheses=hypotheses))
                if not 0 <= value <= self.metric.max_value:
                    raise ContractError(
                        f"the value is {value:.6g} for hypotheses such as {hypotheses[0][:20]!r}; "
                        f"it has to be from 0 to max_value = {self.metric.max_value}"
                    )

    @requires("Counting changes neither the readings nor any global setting.")
    def global_state(self) -> None:
        """Compare readings, settings and generators before and after counting."""
        for texts in self._all_texts:
            readings = texts.readings()
            columns = [*readings.references], [*readings.hypotheses]
            before = global_state()
            drawn = drawn_generators(partial(self.metric.counts, readings))
            if names := changes(before, global_state()):
                raise ContractError(f"it changes {', '.join(names)}; restore the setting")
            if drawn:
                raise ContractError(f"it draws from {drawn[0]}'s global generator; do not draw")
            if columns != ([*readings.references], [*readings.hypotheses]):
                raise ContractError("it changes the readings; copy a list before you change it")

    @cached_property
    def _protocols(self) -> list[Protocol]:
        return [each for each in PROTOCOLS.values() if self.metric.defined_for(each)]

    @cached_property
    def _all_texts(self) -> list[_Texts]:
        """Four samples under each protocol that the metric is defined for."""
        return [
            _Texts(protocol, *_TEXTS["gloss" if protocol.unit == "gloss" else "character"])
            for protocol in self._protocols
        ]

    def _counts(self, texts: _Texts) -> Counts:
        counts = self.metric.counts(texts.readings())
        if counts is None:
            raise ContractError(
                "counts() returned None for samples with texts and frames; return Counts"
            )
        if not isinstance(counts, tuple) or len(counts) != len(Counts._fields):
            raise ContractError(f"counts() returned {type(counts).__name__}; return Counts")
        return counts

    def _value(self, texts: _Texts) -> float:
        numerators, denominators = (int(values.sum()) for values in self._counts(texts))
        return numerators / denominators if denominators else 0.0


class _Texts(NamedTuple):
    """Samples before they are normalized."""

    protocol: Protocol
    references: Sequence[str]
    hypotheses: Sequence[str]

    def rows(self, rows: Sequence[int]) -> _Texts:
        """Return some samples, in this order."""
        columns = ([each[row] for row in rows] for each in (self.references, self.hypotheses))
        return _Texts(self.protocol, *columns)

    def readings(self) -> Readings:
        """Return the normalized samples, with frames for metrics of localization."""
        pairs = [
            self.protocol.pair(*pair) for pair in zip(self.references, self.hypotheses, strict=True)
        ]
        references, hypotheses = ([pair[side] for pair in pairs] for side in range(2))
        ids = [f"sample-{number}" for number in range(len(pairs))]
        frames = _frames(self.protocol, references, hypotheses)
        return Readings(self.protocol, ids, references, hypotheses, frames)


def _frames(
    protocol: Protocol, references: Sequence[str], hypotheses: Sequence[str]
) -> LocalizationColumns:
    """Return frames in which each token of a hypothesis is read, three frames per token."""
    tokens = [
        [list(protocol.tokens(text)) for text in column] for column in (references, hypotheses)
    ]
    classes = {token: number for number, token in enumerate(sorted(_all(tokens)), 1)}
    length = 3 * max((len(row) for column in tokens for row in column), default=0) + 3
    return LocalizationColumns(
        reference=tokens[0],
        hypothesis=tokens[1],
        excluded=[None] * len(references),
        confidence=[0.9] * len(references),
        path=[_path([classes[each] for each in row], length).tolist() for row in tokens[1]],
        aligned=[[*range(0, 3 * len(row), 3)] for row in tokens[1]],
        key_frames=[[*range(0, 3 * len(row), 3)] for row in tokens[0]],
    )


def _all(tokens: Sequence[Sequence[Sequence[str]]]) -> set[str]:
    return {token for column in tokens for row in column for token in row}


def _path(labels: Sequence[int], length: int) -> NDArray[np.int64]:
    """Return a path that shows each label in two frames, followed by a blank."""
    path = np.zeros(length, np.int64)
    for number, label in enumerate(labels):
        path[3 * number : 3 * number + 2] = label
    return path

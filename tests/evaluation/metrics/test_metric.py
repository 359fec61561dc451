"""The registry of metrics: a registered metric is scored if a protocol names it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from bench.cli.render.score_report import score_text
from bench.core.errors import BenchError
from bench.core.text_table import draw
from bench.evaluation import metrics, predictions, protocols
from bench.evaluation.metrics import Counts, Metric, metric
from bench.evaluation.metrics.scoring import Sample, score_samples


class VowelRate(Metric):
    """A toy metric: vowels of hypotheses divided by characters of references."""

    name = "vowels"
    title = "vowels"
    higher_is_better = True
    ratio = ("vowels", "units")

    def defined_for(self, protocol):
        return protocol.unit == "character"

    def counts(self, readings):
        vowels = [sum(c in "aeiou" for c in text) for text in readings.hypotheses]
        return Counts(np.array(vowels, dtype=np.int64), readings.reference_lengths)


@pytest.fixture
def registry(monkeypatch):
    """Remove the metrics that a test registers."""
    monkeypatch.setattr(metric, "_registered", dict(metric._registered))
    metric._load_entry_points.cache_clear()
    yield
    metric._load_entry_points.cache_clear()


@pytest.fixture
def entry_point(registry, monkeypatch):
    """Return a function that installs an entry point."""

    def install(value):
        point = EntryPoint("other", value, metric.GROUP)
        installed = {metric.GROUP: [point]}
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: installed[group])

    return install


def test_a_registered_metric_is_scored_without_any_other_change(registry):
    metrics.register_metric(VowelRate())
    table = {"charset": "abcdeou", "metrics": ["vowels", "cer"], "ranked_by": "vowels"}
    protocol = protocols.declare_protocol("toy", table)
    rows = predictions.Predictions(protocol)
    for identity, reference, hypothesis in [("a", "abc", "abe"), ("b", "x", "a"), ("c", "d", "d")]:
        rows.add(identity, reference, hypothesis)
    written = rows.table()
    assert written["vowels"].to_pylist() == [2, None, 0]
    assert written["vowels/of"].to_pylist() == [3, None, 1]
    assert predictions.corpus_scores(written, protocol) == {"vowels": 2 / 4, "cer": 1 / 4}
    assert predictions.parse_predictions(predictions.predictions_to_bytes(written)).equals(written)
    assert predictions.recount_metrics(written, protocol).column_names == [
        *("excluded", "vowels", "vowels/of", "cer", "cer/of")
    ]
    result = score_samples(protocol, [Sample("1", "abc", "abe"), Sample("2", "d", "d")])
    assert result.metrics["vowels"].value == 2 / 4
    assert "vowels  50.00 %  2 vowels / 4 characters" in draw(score_text(result))


def test_every_metric_is_found_by_its_name():
    assert [*metrics.all_metrics()] == [
        *("ccr", "cer", "map", "one-minus-ned", "sequence-accuracy", "wer")
    ]
    for name, each in metrics.all_metrics().items():
        assert metrics.find_metric(name) is each
        assert (each.name, each.version, each.unit) == (name, 1, "%")
        assert each.format(0.12345) == "12.35"


def test_directions_and_bounds():
    errors = {"cer", "wer"}
    for name, each in metrics.all_metrics().items():
        assert each.higher_is_better == (name not in errors)
        assert each.max_value == (float("inf") if name in errors else 1)


def test_protocols_report_metrics_that_are_defined_for_them():
    for protocol in protocols.PROTOCOLS.values():
        reported = metrics.metrics_of(protocol)
        assert [each.name for each in reported] == list(protocol.metrics)
        assert all(each.defined_for(protocol) for each in reported)
        assert protocol.ranked_by in protocol.metrics


@pytest.mark.parametrize(
    ("protocol", "defined"),
    [
        ("digits", "ccr cer map one-minus-ned sequence-accuracy"),
        ("htr-raw", "ccr cer map one-minus-ned sequence-accuracy wer"),
        ("htr-thesis", "cer sequence-accuracy"),
        ("gloss-phoenix14", "map sequence-accuracy wer"),
    ],
)
def test_metrics_that_are_defined_for_a_protocol(protocol, defined):
    rules = protocols.find_protocol(protocol)
    names = [name for name, each in metrics.all_metrics().items() if each.defined_for(rules)]
    assert names == defined.split()


def test_an_unknown_name_gives_an_error_with_the_nearest():
    with pytest.raises(BenchError, match=r"there is no metric 'ccer'; did you mean 'cer'\?"):
        metrics.find_metric("ccer")


def test_two_metrics_cannot_have_one_name(registry):
    class Other(VowelRate):
        name = "cer"

    with pytest.raises(BenchError, match="a metric 'cer' is already registered"):
        metrics.register_metric(Other())
    metrics.register_metric(metrics.find_metric("wer"))


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a|b"])
def test_a_name_must_be_valid_as_a_column(registry, name):
    other = type("Other", (VowelRate,), {"name": name})
    with pytest.raises(BenchError, match="is not a valid name of a metric"):
        metrics.register_metric(other())


def test_a_metric_of_another_package_is_an_entry_point(entry_point, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "VOWELS", VowelRate(), raising=False)
    monkeypatch.setitem(sys.modules, "their_package", sys.modules[__name__])
    entry_point("their_package:VOWELS")
    assert metrics.find_metric("vowels").title == "vowels"
    assert "vowels" in metrics.all_metrics()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:X", r"cannot be imported \(ModuleNotFoundError"),
        ("math:pi", "is not an instance of bench.evaluation.metrics.Metric"),
    ],
)
def test_a_broken_entry_point_leaves_the_others_usable(entry_point, value, message):
    entry_point(value)
    assert "cer" in metrics.all_metrics()
    (fault,) = metric.installed_faults()
    assert re.search(message, fault)
    with pytest.raises(BenchError, match=f"no metric 'nothing'.*{message}"):
        metrics.find_metric("nothing")


def test_the_registry_imports_nothing_heavy():
    program = (
        "import sys; from bench.evaluation import metrics, protocols\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'rapidfuzz', 'editdistance'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_another_metric_does_not_change_the_spec_of_the_protocol():
    digits = protocols.find_protocol("digits")
    assert replace(digits, metrics=("cer",)).spec() == digits.spec()

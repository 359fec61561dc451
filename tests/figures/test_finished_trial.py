"""A trial made again from its record reads what it read in its test, or says why it cannot."""

from __future__ import annotations

import pytest
import torch
from bench.decoding.decoders import DECODERS

from bench.core.errors import BenchError, Exit
from bench.data.store import data_dir as home
from bench.trials.store import WEIGHTS


@pytest.mark.parametrize("loss", ["radial-ctc", "ctc", "ce"])
def test_it_reads_what_it_read_in_its_test(trial, loss):
    found = trial(loss)
    decode = DECODERS["greedy"][found.loss.decoder]
    tokens = ("", *found.source.vocabulary)
    for row in found.rows[::50]:
        batch, place = found.sample(row["id"])
        with torch.inference_mode():
            decoded = decode(*found.network(batch.inputs, batch.lengths))
        assert "".join(tokens[label] for label in decoded.labels[place]) == row["hypothesis"]


def test_without_a_name_it_takes_the_best_a_middling_and_the_worst(copied):
    found = copied("radial-ctc", lambda rows: _ranked(rows[:5]))
    assert [row["edits"] for row in found.chosen([])] == [0, 2, 4]
    assert [row["id"] for row in found.chosen([found.rows[3]["id"]])] == [found.rows[3]["id"]]


def _ranked(rows):
    """Give rows 4, …, 0 edits in 5; one more is not scored."""
    scored = [row | {"edits": 4 - n, "length": 5} for n, row in enumerate(rows)]
    return [*scored, scored[0] | {"id": "out", "edits": 9, "excluded": "empty"}]


def changed(found, kind, **more):
    return {kind: found.record.spec[kind] | more}


def test_another_version_of_a_component_is_refused(trial, copied):
    found = copied("ctc", **changed(trial("ctc"), "model", version=0))
    with pytest.raises(BenchError, match=r"model 'htr-ctc' is version 1 by now, and was 0"):
        _ = found.network


def test_a_parameter_that_is_no_more_is_named(trial, copied):
    found = copied("ctc", **changed(trial("ctc"), "loss", parameters={"beam": 3}))
    with pytest.raises(BenchError, match=r"loss 'ctc' has other parameters .* key 'beam'"):
        _ = found.loss


def test_a_component_that_is_no_more_is_named(trial, copied):
    found = copied("ctc", **changed(trial("ctc"), "model", name="htr-ctcc"))
    with pytest.raises(BenchError, match="there is no model 'htr-ctcc'; did you mean 'htr-ctc'"):
        _ = found.network


def test_other_data_are_refused(trial, copied):
    found = copied("ctc", **changed(trial("ctc"), "dataset", fingerprint="sha256:other"))
    with pytest.raises(BenchError, match="and was sha256:other; prepare those data") as refused:
        _ = found.source
    assert refused.value.code == Exit.UNVERIFIED


def test_data_that_are_not_prepared_are_named(trial, tmp_path, monkeypatch):
    found = trial("ctc")
    monkeypatch.setenv(home.VARIABLE, str(tmp_path))
    with pytest.raises(BenchError, match="dataset 'iam-synthetic' is not prepared"):
        _ = found.source


def test_weights_that_are_gone_or_altered_are_refused(copied):
    found = copied("ctc")
    (found.folder / WEIGHTS).write_bytes(b"pickle")
    with pytest.raises(BenchError, match="is not what its record says"):
        _ = found.network
    (found.folder / WEIGHTS).unlink()
    with pytest.raises(BenchError, match="is gone; restore it, or run its trial again"):
        _ = found.network


def test_weights_of_another_size_are_refused(trial, copied):
    parameters = trial("ctc").record.spec["model"]["parameters"] | {"hidden": 5}
    found = copied("ctc", **changed(trial("ctc"), "model", parameters=parameters))
    with pytest.raises(BenchError, match="these weights do not fit into model 'htr-ctc'"):
        _ = found.network


def test_an_unknown_sample_is_told_what_others_are_called(trial):
    found = trial("ctc")
    with pytest.raises(BenchError, match=f"no sample of test .* called '{found.rows[0]['id']}'"):
        found.chosen(["a01"])


def test_a_sample_in_another_place_is_refused(copied):
    found = copied("ctc", lambda rows: rows[::-1])
    with pytest.raises(BenchError, match="is not where it was in the test"):
        found.sample(found.rows[0]["id"])

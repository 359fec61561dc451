"""An evaluation restored from its record reads the same, or reports why it cannot."""

from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError, Exit
from bench.data.store import data_dir
from bench.decoding.greedy import GreedyDecoder
from bench.trials.store import WEIGHTS


@pytest.mark.parametrize("loss", ["radial-ctc", "ctc", "ce"])
def test_a_restored_network_reads_the_same_as_in_the_evaluation(evaluation, loss):
    restored = evaluation(loss)
    decode = GreedyDecoder().build(restored.loss.decoder, restored.vocabulary)
    tokens = ("", *restored.vocabulary)
    for row in restored.rows[::50]:
        batch, place = restored.sample(row["id"])
        with torch.inference_mode():
            decoded = decode(*restored.network(batch.inputs, batch.lengths))
        assert "".join(tokens[label] for label in decoded.labels[place]) == row["hypothesis"]


def test_by_default_the_best_the_median_and_the_worst_sample_are_chosen(copied):
    ranked = copied("radial-ctc", lambda rows: _ranked(rows[:5]))
    assert [row["cer"] for row in ranked.choose_samples([])] == [0, 2, 4]
    assert [row["id"] for row in ranked.choose_samples([ranked.rows[3]["id"]])] == [
        ranked.rows[3]["id"]
    ]


def _ranked(rows):
    """Return an evaluation whose rows have 4, …, 0 edits in 5 letters; one more is not scored."""
    scored = [row | {"cer": 4 - n, "cer/of": 5} for n, row in enumerate(rows)]
    counts = dict.fromkeys(name for name in rows[0] if f"{name}/of" in rows[0] or "/of" in name)
    return [*scored, scored[0] | counts | {"id": "out", "excluded": "empty"}]


def spec_of(restored, part, **changes):
    return {part: restored.training.record.spec[part] | changes}


def test_another_version_of_a_component_is_refused(evaluation, copied):
    restored = copied("ctc", training=spec_of(evaluation("ctc"), "model", version=0))
    with pytest.raises(BenchError, match=r"model 'htr-ctc' was version 0 and is version 1 today"):
        _ = restored.network


def test_another_source_file_of_a_component_is_refused(evaluation, copied):
    source = {"file": "mine.py", "sha256": "0" * 64}
    restored = copied("ctc", training=spec_of(evaluation("ctc"), "loss", source=source))
    with pytest.raises(BenchError, match=r"the source file of loss 'ctc' has changed"):
        _ = restored.loss


def test_a_removed_parameter_is_reported(evaluation, copied):
    restored = copied("ctc", training=spec_of(evaluation("ctc"), "loss", parameters={"beam": 3}))
    with pytest.raises(BenchError, match=r"parameters of loss 'ctc' have changed .* key 'beam'"):
        _ = restored.loss


def test_a_removed_component_is_reported(evaluation, copied):
    restored = copied("ctc", training=spec_of(evaluation("ctc"), "model", name="htr-ctcc"))
    with pytest.raises(BenchError, match="there is no model 'htr-ctcc'; did you mean 'htr-ctc'"):
        _ = restored.network


def test_changed_data_are_refused(evaluation, copied):
    test = evaluation("ctc").record.spec["test"] | {"fingerprints": {"test": "sha256:other"}}
    restored = copied("ctc", test=test)
    with pytest.raises(BenchError, match="fingerprint was sha256:other and is ") as refused:
        _ = restored.pipeline
    assert refused.value.code == Exit.UNVERIFIED


def test_data_that_are_not_prepared_are_reported(evaluation, tmp_path, monkeypatch):
    restored = evaluation("ctc")
    monkeypatch.setenv(data_dir.VARIABLE, str(tmp_path))
    with pytest.raises(BenchError, match="'iam-synthetic' is not prepared"):
        _ = restored.pipeline


def test_missing_or_altered_weights_are_refused(copied):
    restored = copied("ctc")
    (restored.training.folder / WEIGHTS).write_bytes(b"pickle")
    with pytest.raises(BenchError, match="does not match the checksum in its record"):
        _ = restored.network
    (restored.training.folder / WEIGHTS).unlink()
    with pytest.raises(BenchError, match="is missing; restore it, or run its suite again"):
        _ = restored.network


def test_weights_of_another_size_are_refused(evaluation, copied):
    parameters = evaluation("ctc").training.record.spec["model"]["parameters"] | {"hidden": 5}
    restored = copied("ctc", training=spec_of(evaluation("ctc"), "model", parameters=parameters))
    with pytest.raises(
        BenchError, match="these weights do not fit the current code of model 'htr-ctc'"
    ):
        _ = restored.network


def test_an_unknown_sample_is_reported_with_the_id_of_another(evaluation):
    restored = evaluation("ctc")
    first = restored.rows[0]["id"]
    with pytest.raises(BenchError, match=f"no sample 'a01' .* first sample is '{first}'"):
        restored.choose_samples(["a01"])


def test_a_sample_at_another_position_is_refused(copied):
    restored = copied("ctc", lambda rows: rows[::-1])
    with pytest.raises(BenchError, match="is no longer at its position in the test set"):
        restored.sample(restored.rows[0]["id"])

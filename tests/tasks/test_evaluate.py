"""The evaluation task."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from running import assert_same_bytes, fail, finish
from safetensors.torch import load_file, save_file

from bench.core import documents
from bench.core.types import InputShape
from bench.data.datasets.seq_digits import SeqDigits
from bench.decoding.beam import BeamDecoder
from bench.evaluation import predictions
from bench.losses.ace import ACE
from bench.losses.cr_ctc import CRCTC
from bench.losses.prior_ctc import PriorCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.cslr_resnet18 import CslrResNet18
from bench.recognizers.networks import network as recognizer
from bench.tasks.task import run_task
from bench.trials.events import Finished, Started
from bench.trials.store import EVALUATION, FAILURE, LOG, PREDICTIONS, TRAINING, WEIGHTS, Store

BARE = SeqDigits(digits=2, ramp=(), end_frames=0, rounds=1)


@dataclass(frozen=True)
class Lettered(SeqDigits):
    """Digits whose transcripts say more than their classes can: every third has a letter."""

    def open(self, *arguments, **more):
        pipeline = super().open(*arguments, **more)
        batches = pipeline.batches

        def lettered(*asked, **options):
            return [
                batch._replace(
                    texts=tuple(
                        f"{text[0]}{'x' if row % 3 == 0 else ''}"
                        for row, text in enumerate(batch.texts)
                    )
                )
                for batch in batches(*asked, **options)
            ]

        pipeline.batches = lettered
        return pipeline


def read(evaluation, store):
    """Run an evaluation, and its training if that is missing; return its predictions."""
    finish(evaluation, store)
    return predictions.read_predictions(store.folder(evaluation) / PREDICTIONS)


def with_training(evaluation, **changes):
    return replace(evaluation, training=replace(evaluation.training, **changes))


def with_recipe(evaluation, **changes):
    return with_training(evaluation, recipe=replace(evaluation.training.recipe, **changes))


def labels_of(path):
    """Return the labels of a CTC path, written independently of bench's decoder."""
    merged = [c for c, before in zip(path, [0, *path], strict=False) if c != before]
    return [label for label in merged if label]


def test_it_reports_that_it_runs_and_leaves_a_record(evaluation, store):
    finish(evaluation.training, store)
    first, last = run_task(evaluation, store)
    assert isinstance(first, Started)
    assert isinstance(last, Finished)
    folder = store.folder(evaluation)
    assert {file.name for file in folder.iterdir()} == {EVALUATION, PREDICTIONS, LOG}
    assert "started on cpu" in (folder / LOG).read_text()
    written = [(folder / name).stat().st_mtime_ns for name in (PREDICTIONS, EVALUATION)]
    assert written == sorted(written), "the record is not written last"
    assert store.record(evaluation).training == evaluation.training.key


@pytest.mark.parametrize("loss", [0, 1])
def test_the_same_evaluation_gives_the_same_record_bit_for_bit(evaluations, store, tmp_path, loss):
    evaluation, again = evaluations[loss], Store(tmp_path / "again")
    torch.manual_seed(12345)
    finish(evaluation, store)
    torch.manual_seed(54321)
    torch.set_num_threads(2)
    finish(evaluation, again)
    assert_same_bytes(evaluation, store, again)


def test_the_scores_of_a_record_follow_from_its_predictions(evaluation, store):
    table, record = read(evaluation, store), store.record(evaluation)
    assert predictions.corpus_scores(table, evaluation.protocol) == record.scores
    assert record.scores.keys() <= {*evaluation.protocol.metrics}
    assert record.samples == len(table) == 359 // 2
    assert record.excluded == record.dropped == {}


def test_the_stored_weights_are_those_that_read(evaluation, store):
    evaluation = with_training(evaluation, model=CnnBiLSTM(width=4, hidden=16))
    evaluation = with_recipe(evaluation, epochs=4, batch_size=8)
    table, training = read(evaluation, store), evaluation.training
    network = recognizer.build_network(training.model, training.loss, InputShape(1, 8, 8), 11)
    network.load_state_dict(load_file(store.folder(training) / WEIGHTS))
    network.eval()
    pipeline = evaluation.test.open(training.input, evaluation.test.label_encoder(None))
    texts = []
    for batch in pipeline.batches("test", training.recipe.batch_size):
        logits, _ = network(pipeline.finish(batch.inputs), batch.lengths)
        texts += ["".join(str(c - 1) for c in labels_of(p)) for p in logits.argmax(2).tolist()]
    assert table["hypothesis"].to_pylist() == texts
    assert len(set(texts)) > 1
    right = sum(map(str.__eq__, texts, table["reference"].to_pylist()))
    assert store.record(evaluation).scores["sequence-accuracy"] == right / len(texts)


def test_one_training_is_read_on_two_test_sets(evaluation, store):
    longer = replace(evaluation, test=SeqDigits(digits=3, rounds=1))
    assert longer.training.key == evaluation.training.key
    tables = [read(each, store) for each in (evaluation, longer)]
    references = [set(map(len, table["reference"].to_pylist())) for table in tables]
    assert references == [{2}, {3}]
    assert len(store.records("training")) == 1
    assert len(store.records("evaluation")) == 2


def test_another_decoder_reads_the_same_training(evaluation, store):
    searched = replace(evaluation, decoder=BeamDecoder())
    assert searched.key != evaluation.key
    greedy, beam = (read(each, store).to_pylist() for each in (evaluation, searched))
    assert len(store.records("training")) == 1
    # The confidence of a beam is that of all paths of its labels, of greedy that of one.
    gains = [
        after["confidence"] - before["confidence"]
        for before, after in zip(greedy, beam, strict=True)
    ]
    assert min(gains) >= 0
    assert max(gains) > 0
    for row in greedy + beam:
        assert len(row["aligned"]) == len(row["hypothesis"])
        assert [str(row["path"][frame] - 1) for frame in row["aligned"]] == list(row["hypothesis"])


@pytest.mark.parametrize("loss", [ACE(), CRCTC(), PriorCTC()], ids=lambda loss: loss.name)
def test_a_hypothesis_follows_from_its_path(evaluation, store, loss):
    table = read(with_training(evaluation, loss=loss), store)
    for path, hypothesis in zip(
        table["path"].to_pylist(), table["hypothesis"].to_pylist(), strict=True
    ):
        labels = [label for label in path if label] if loss.decoder == "ace" else labels_of(path)
        assert hypothesis == "".join(str(label - 1) for label in labels)


def test_ace_learns_to_read_digits_of_one_frame_each(evaluation, store):
    evaluation = with_training(evaluation, data=(BARE,), loss=ACE())
    evaluation = with_recipe(replace(evaluation, test=BARE), epochs=6, batch_size=16)
    assert finish(evaluation, store).scores["cer"] < 0.5


def test_a_network_that_makes_fewer_frames_has_no_key_frames(evaluation, store):
    strided = with_training(evaluation, model=CslrResNet18(width=2, hidden=4))
    table = read(strided, store)
    assert not any(table["key_frames"].to_pylist())
    assert predictions.label_localization(table, evaluation.protocol) is None
    assert "map" not in store.record(strided).scores


def test_the_transcript_is_the_reference_whatever_the_network_knows(evaluation, store):
    lettered = replace(evaluation, test=Lettered(digits=2, rounds=1))
    table, plain = read(lettered, store), read(evaluation, store)
    size = evaluation.training.recipe.batch_size
    rows = zip(
        table["reference"].to_pylist(),
        plain["reference"].to_pylist(),
        table["excluded"].to_pylist(),
        strict=True,
    )
    for row, (text, whole, excluded) in enumerate(rows):
        has_letter = row % size % 3 == 0
        assert text == whole[0] + "x" * has_letter
        assert (excluded is not None) is has_letter
    record = store.record(lettered)
    assert record.samples + sum(record.excluded.values()) == len(table)


def test_a_test_set_without_samples_is_refused(evaluation, store):
    empty = replace(evaluation, test=SeqDigits(digits=2000, rounds=1))
    finish(evaluation.training, store)
    failure = fail(empty, store)
    assert failure.cause == "configuration"
    assert "has no sample in split 'test'" in failure.message


def test_without_its_training_it_is_refused(evaluation, store):
    failure = fail(evaluation, store)
    assert failure.cause == "configuration"
    assert f"training {evaluation.training.key} is missing" in failure.message
    assert store.record(evaluation) is None


def test_altered_weights_are_refused(evaluation, store):
    finish(evaluation.training, store)
    with (store.folder(evaluation.training) / WEIGHTS).open("ab") as weights:
        weights.write(b"x")
    failure = fail(evaluation, store)
    assert failure.cause == "configuration"
    assert "does not match the checksum in its record" in failure.message


def test_weights_of_another_network_are_refused(evaluation, store):
    record = finish(evaluation.training, store)
    file = store.folder(evaluation.training) / WEIGHTS
    model = CnnBiLSTM(width=3, hidden=4)
    network = recognizer.build_network(model, evaluation.training.loss, InputShape(1, 8, 8), 11)
    save_file(network.state_dict(), file)
    files = {WEIGHTS: documents.write_bytes(file, file.read_bytes())}
    record_file = store.folder(evaluation.training) / TRAINING
    documents.write_bytes(record_file, documents.encode(replace(record, files=files)))
    failure = fail(evaluation, store)
    assert failure.cause == "configuration"
    assert (
        f"{file.name}: these weights do not fit the current code of model 'cnn-bilstm'"
        in failure.message
    )


def test_interrupted_while_it_replaces_its_files_it_is_not_done(evaluation, store):
    finish(evaluation, store)
    file = store.folder(evaluation) / PREDICTIONS
    file.unlink()
    file.mkdir()
    fail(evaluation, store)
    assert store.record(evaluation) is None


def test_a_finished_evaluation_leaves_no_failure_behind(evaluation, store):
    fail(evaluation, store)
    finish(evaluation, store)
    assert store.failure(evaluation) is None
    assert not (store.folder(evaluation) / FAILURE).exists()

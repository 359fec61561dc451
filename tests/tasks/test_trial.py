from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from bench.tasks.trial import run_trial
from safetensors.torch import load_file

from bench.cli.render import descriptions as views
from bench.core.components import Dataset
from bench.core.types import Annotation
from bench.data.datasets.seq_digits import SeqDigits
from bench.evaluation import predictions
from bench.losses.ace import ACE
from bench.losses.cr_ctc import CRCTC
from bench.losses.prior_ctc import PriorCTC
from bench.recognizers import network as recognizer
from bench.training import checkpoint
from bench.trials.events import Failed, Finished, Infeasible, Progress, Started
from bench.trials.store import (
    CHECKPOINT,
    FAILURE,
    LAST_WEIGHTS,
    LOG,
    PREDICTIONS,
    RECORD,
    WEIGHTS,
    Store,
)


def finish(trial, store):
    *_, last = run_trial(trial, store)
    assert isinstance(last, Finished), last
    return store.record(trial)


def numbers(record):
    """Return what has to be the same on every run of a trial on one machine."""
    kept = asdict(record)
    del kept["timings"], kept["provenance"]
    return kept


def test_a_trial_says_how_it_goes_and_leaves_a_record(trials, store):
    events = list(run_trial(trials[0], store))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].fraction == 1
    assert progress[-1].epoch == progress[-1].epochs == 1
    folder = store.folder(trials[0])
    assert {file.name for file in folder.iterdir()} == {RECORD, PREDICTIONS, WEIGHTS, LOG}
    assert "started on cpu" in (folder / LOG).read_text()


@pytest.mark.parametrize("loss", [0, 1])
def test_the_same_trial_gives_the_same_record_bit_for_bit(trials, store, tmp_path, loss):
    trial = trials[loss]
    again = Store(tmp_path / "again")
    torch.manual_seed(12345)
    first = finish(trial, store)
    torch.manual_seed(54321)
    second = finish(trial, again)
    assert numbers(first) == numbers(second)
    for name in (PREDICTIONS, WEIGHTS):
        one, other = (place.folder(trial) / name for place in (store, again))
        assert one.read_bytes() == other.read_bytes()


def test_interrupted_while_it_replaces_its_files_a_trial_is_not_done(trials, store):
    finish(trials[0], store)
    weights = store.folder(trials[0]) / WEIGHTS
    weights.unlink()
    weights.mkdir()
    *_, last = run_trial(trials[0], store)
    assert isinstance(last, Failed)
    assert store.record(trials[0]) is None


@pytest.mark.parametrize(("digits", "split"), [(2000, "train"), (200, "validation")])
def test_a_split_without_samples_is_told_before_training(trials, store, digits, split):
    one_cycle = replace(trials[0].training, schedule="one-cycle")
    dataset = SeqDigits(digits=digits, rounds=1)
    *_, last = run_trial(replace(trials[0], dataset=dataset, training=one_cycle), store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "configuration"
    assert f"has no sample in its split '{split}'" in last.failure.message


def test_the_weights_of_the_last_epoch_are_kept_beside_those_tested(trials, store):
    # It leaps to blank alone, and no later epoch reads better.
    recipe = replace(trials[0].training, epochs=2, learning_rate=1.0)
    trial = replace(trials[0], training=recipe)
    record, folder = finish(trial, store), store.folder(trial)
    assert record.selected_epoch == 1
    assert record.files.keys() == {PREDICTIONS, WEIGHTS, LAST_WEIGHTS}
    tested, later = (load_file(folder / name) for name in (WEIGHTS, LAST_WEIGHTS))
    assert tested.keys() == later.keys()
    assert not all(torch.equal(tested[name], later[name]) for name in tested)


def test_another_seed_gives_other_weights(trials, store):
    first, second = finish(trials[0], store), finish(trials[2], store)
    assert (trials[0].seed, trials[2].seed) == (0, 1)
    assert first.files[WEIGHTS] != second.files[WEIGHTS]


def test_the_metrics_of_a_record_follow_from_its_predictions(trials, store):
    record = finish(trials[0], store)
    table = predictions.read(store.folder(trials[0]) / PREDICTIONS)
    assert predictions.score(table) == record.metrics["test"]
    assert record.metrics["test"].samples == 359 // 2


def test_the_stored_weights_are_those_that_were_tested(trials, store):
    trial = trials[0]
    record = finish(trial, store)
    source = trial.dataset.build()
    network = recognizer.build(trial.model, trial.loss, source)
    network.load_state_dict(load_file(store.folder(trial) / WEIGHTS))
    network.eval()
    correct = 0
    for batch in source.batches("test", trial.training.batch_size):
        logits, _ = network(batch.inputs, batch.lengths)
        for path, target in zip(logits.argmax(2).tolist(), batch.targets.tolist(), strict=True):
            merged = [c for c, before in zip(path, [0, *path], strict=False) if c != before]
            correct += [label for label in merged if label] == target
    assert correct == record.metrics["test"].correct
    assert record.parameters.total == sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("select", ["best", "last"])
def test_the_selected_epoch_is_the_one_the_recipe_names(trials, store, select):
    recipe = replace(trials[0].training, epochs=4, learning_rate=0.003, select=select)
    record = finish(replace(trials[0], training=recipe), store)
    scores = [epoch.validation_ler for epoch in record.curve]
    expected = scores.index(min(scores)) if select == "best" else 3
    assert record.selected_epoch == expected + 1
    assert record.metrics["validation"].cer == scores[expected]


def test_the_learning_rate_falls_after_each_milestone(trials, store):
    recipe = replace(
        trials[0].training, epochs=5, schedule="multi-step", milestones=(2, 4), decay=0.2
    )
    record = finish(replace(trials[0], training=recipe), store)
    rates = [epoch.learning_rate for epoch in record.curve]
    assert rates == pytest.approx([0.01, 0.01, 0.002, 0.002, 0.0004])


def test_a_diverging_loss_fails_the_trial_and_names_its_samples(trials, store):
    recipe = replace(trials[0].training, epochs=9, learning_rate=1e30, optimizer="sgd")
    trial = replace(trials[0], training=recipe)
    *_, last = run_trial(trial, store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "error"
    assert "on samples" in last.failure.message
    assert store.failure(trial) == last.failure
    assert store.record(trial) is None
    assert "Traceback" in (store.folder(trial) / LOG).read_text()


def test_a_finished_trial_leaves_no_failure_behind(trials, store):
    failing = replace(trials[0].dataset, rounds=1)
    trial = replace(trials[0], dataset=failing)
    store.begin(trial)
    (store.folder(trial) / FAILURE).write_text("{}")
    finish(trial, store)
    assert store.failure(trial) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_cuda_trial_without_a_gpu_says_so(trials, store):
    trial = replace(trials[0], resources=replace(trials[0].resources, device="cuda"))
    *_, last = run_trial(trial, store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "configuration"
    assert 'device = "cuda"' in last.failure.message


def test_training_never_asks_for_the_test_split(trials, store):
    asked = []

    class Watched(SeqDigits):
        def build(self):
            source = SeqDigits.build(self)
            batches = source.batches

            def watch(split, size, **more):
                asked.append(split)
                return batches(split, size, **more)

            source.batches = watch
            return source

    assert issubclass(Watched, Dataset)
    recipe = replace(trials[0].training, epochs=2)
    finish(replace(trials[0], dataset=Watched(digits=2, rounds=1), training=recipe), store)
    # The first times to see that there are samples, and to count the steps of an epoch.
    before = ["train", "validation", "train"]
    assert asked == [*before, *["train", "validation"] * 2, "validation", "test"]


def test_samples_with_too_few_frames_are_named_and_counted(trials, store):
    assert [epoch.infeasible for epoch in finish(trials[0], store).curve] == [0]
    # Two frames are too few for a digit twice, which needs a blank between.
    bare = SeqDigits(digits=2, ramp=(), end_frames=0, rounds=1)
    trial = replace(trials[0], dataset=bare)
    events = list(run_trial(trial, store))
    (said,) = (event for event in events if isinstance(event, Infeasible))
    annotations = bare.build().annotations("train", seed=trial.named_seed("batches"))
    twice = tuple(annotation.id for annotation in annotations if len(set(annotation.target)) == 1)
    assert said == Infeasible(twice, len(annotations))
    record = store.record(trial)
    assert [epoch.infeasible for epoch in record.curve] == [len(twice)]
    shown = views.record(record, store.root, [])
    assert f"{len(twice)} training samples an epoch add nothing" in shown
    assert "add nothing" not in views.record(store.record(trials[0]), store.root, [])
    assert f"{len(twice)} of {len(annotations)} training samples" in (
        (store.folder(trial) / LOG).read_text()
    )


def test_a_trial_that_nothing_can_be_learned_in_is_refused(trials, store):
    class OneFrame(SeqDigits):
        def build(self):
            source = SeqDigits.build(self)
            source.annotations = lambda *_, **_more: [Annotation("short", 1, (1, 2))]
            return source

    *_, last = run_trial(replace(trials[0], dataset=OneFrame(digits=2, rounds=1)), store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "configuration"
    assert last.failure.message.startswith("none of the 1 training samples fits:")
    assert "short too few outputs for its 2 labels" in last.failure.message


def test_the_protocol_s_decoder_reads(trials, store):
    searched = replace(trials[0], protocol=replace(trials[0].protocol, decoder="beam"))
    assert searched.key != trials[0].key
    for trial in (trials[0], searched):
        finish(trial, store)
    greedy, beam = (
        predictions.read(store.folder(trial) / PREDICTIONS).to_pylist()
        for trial in (trials[0], searched)
    )
    # The confidence of a beam is that of all paths of its labels, of greedy that of one.
    gains = [
        other["confidence"] - one["confidence"] for one, other in zip(greedy, beam, strict=True)
    ]
    assert min(gains) >= 0
    assert max(gains) > 0
    for row in greedy + beam:
        assert len(row["aligned"]) == len(row["hypothesis"])
        assert [str(row["path"][frame] - 1) for frame in row["aligned"]] == list(row["hypothesis"])


@pytest.mark.parametrize("loss", [ACE(), CRCTC(), PriorCTC()], ids=lambda loss: loss.name)
def test_losses_with_views_a_state_or_another_decoder_train(trials, store, loss):
    recipe = replace(trials[0].training, epochs=3)
    trial = replace(trials[0], loss=loss, training=recipe)
    record = finish(trial, store)
    assert record.curve[-1].loss < record.curve[0].loss
    table = predictions.read(store.folder(trial) / PREDICTIONS)
    for path, hypothesis in zip(
        table["path"].to_pylist(), table["hypothesis"].to_pylist(), strict=True
    ):
        merged = [c for c, before in zip(path, [0, *path], strict=False) if c != before]
        read = path if loss.decoder == "ace" else merged
        assert len(hypothesis) == len([c for c in read if c])


def test_a_sample_of_two_views_is_counted_once(trials, store):
    # Two frames are too few for a digit twice, which needs a blank between.
    bare = SeqDigits(digits=2, ramp=(), end_frames=0, rounds=1)
    counts = [
        [epoch.infeasible for epoch in finish(replace(trial, dataset=bare), store).curve]
        for trial in (trials[0], replace(trials[0], loss=CRCTC()))
    ]
    assert counts[0] == counts[1] != [0]


def test_counts_are_enough_to_read_digits_of_one_frame_each(trials, store):
    bare = SeqDigits(digits=2, ramp=(), end_frames=0, rounds=1)
    recipe = replace(trials[0].training, epochs=6, batch_size=16)
    record = finish(replace(trials[0], dataset=bare, loss=ACE(), training=recipe), store)
    assert record.metrics["test"].cer < 0.5


def test_a_checkpoint_that_does_not_fit_is_named(trials, store):
    folder = store.begin(trials[0])
    checkpoint.save(folder / CHECKPOINT, {"network": {}})
    *_, last = run_trial(trials[0], store)
    assert last.failure.cause == "configuration"
    assert f"{folder / CHECKPOINT}: this checkpoint does not fit" in last.failure.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_float16_without_a_gpu_is_refused(trials, store):
    recipe = replace(trials[0].training, precision="fp16")
    *_, last = run_trial(replace(trials[0], training=recipe), store)
    assert isinstance(last, Failed)
    assert last.failure.cause == "configuration"
    assert 'set precision = "bf16"' in last.failure.message

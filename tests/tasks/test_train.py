"""The training task."""

from __future__ import annotations

from dataclasses import dataclass, replace

import editdistance
import pytest
import torch
from running import assert_same_bytes, fail, finish
from safetensors.torch import load_file

from bench.core.types import Annotation, InputShape
from bench.data.datasets.seq_digits import SeqDigits
from bench.losses.ace import ACE
from bench.losses.cr_ctc import CRCTC
from bench.losses.prior_ctc import PriorCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.recognizers.networks import network as recognizer
from bench.tasks import train
from bench.tasks.task import run_task
from bench.training.checkpoint import Checkpoint
from bench.trials import provenance
from bench.trials.events import Finished, Infeasible, Progress, Resumed, Started, Validated
from bench.trials.store import CHECKPOINT, FAILURE, LAST_WEIGHTS, LOG, TRAINING, WEIGHTS, Store

BARE = SeqDigits(digits=2, ramp=(), end_frames=0, rounds=1)
"""Two frames are too few for a digit twice, which needs a blank between."""


def with_recipe(training, **changes):
    return replace(training, recipe=replace(training.recipe, **changes))


def with_resources(training, **changes):
    return training.with_resources(replace(training.resources, **changes))


def on(training, *data):
    return replace(training, data=data)


@dataclass(frozen=True)
class Altered(SeqDigits):
    """Two digits whose pipeline a function changes when it is opened."""

    @classmethod
    def by(cls, change):
        altered = cls(digits=2, rounds=1)
        object.__setattr__(altered, "change", change)
        return altered

    def open(self, *arguments, **more):
        pipeline = super().open(*arguments, **more)
        self.change(pipeline)
        return pipeline


def test_it_reports_its_progress_and_leaves_a_record(training, store):
    events = list(run_task(training, store))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].fraction == 1
    assert progress[-1].epoch == 1
    (validated,) = (event for event in events if isinstance(event, Validated))
    folder, record = store.folder(training), store.record(training)
    assert validated.ler == record.curve[0].validation_ler
    assert f"{validated.ler:.2%}" in events[-1].summary
    assert {file.name for file in folder.iterdir()} == {TRAINING, WEIGHTS, LOG}
    assert "started on cpu" in (folder / LOG).read_text()
    assert record.vocabulary == list("0123456789")
    assert record.input_shape == [1, 8, 8]


def test_the_record_is_written_last(training, store):
    training = with_recipe(training, epochs=2, learning_rate=1.0)
    assert finish(training, store).files.keys() == {WEIGHTS, LAST_WEIGHTS}
    written = {f.name: f.stat().st_mtime_ns for f in store.folder(training).iterdir()}
    del written[LOG]
    assert written[TRAINING] == max(written.values())


@pytest.mark.parametrize("loss", [0, 1])
def test_the_same_training_gives_the_same_record_bit_for_bit(evaluations, store, tmp_path, loss):
    training, again = evaluations[loss].training, Store(tmp_path / "again")
    torch.manual_seed(12345)
    finish(training, store)
    torch.manual_seed(54321)
    torch.set_num_threads(2)
    finish(training, again)
    assert_same_bytes(training, store, again)


def left_after_two_steps(training, store):
    """Leave a training after its second step; return its checkpoint."""
    events = run_task(training, store)
    next(event for event in events if isinstance(event, Progress) and event.step == 2)
    events.close()
    sources = tuple(provenance.computing_sources(training.components))
    return Checkpoint(store.folder(training) / CHECKPOINT, sources)


def test_a_record_lists_the_devices_of_a_training_that_moved(training, store):
    training = with_resources(training, checkpoint_every="1 step", log_every="1 step")
    checkpoint = left_after_two_steps(training, store)
    state = checkpoint.load()
    assert state["trained_on"] == ["cpu"]
    checkpoint.save(state | {"trained_on": ["Some GPU"]})
    record = finish(training, store)
    assert record.trained_on == ["Some GPU", "cpu"]
    assert record.provenance.device == "cpu"


def test_one_process_does_not_train_what_several_devices_are_to(training, store):
    failure = fail(with_resources(training, devices=2), store)
    assert failure.cause == "configuration"
    assert "devices = 2" in failure.message


@pytest.mark.parametrize("select", ["best", pytest.param("last", marks=pytest.mark.slow)])
def test_left_at_any_step_it_resumes_to_the_same_bits(training, store, tmp_path, select):
    changes = {"epochs": 4, "schedule": "one-cycle", "learning_rate": 1.0, "select": select}
    training = with_recipe(training, **changes)
    training = with_resources(training, checkpoint_every="2 steps", log_every="1 step")
    whole = Store(tmp_path / "whole")
    finish(training, whole)
    for stop in (3, 7):
        events = run_task(training, store)
        for event in events:
            if isinstance(event, Progress) and event.step == stop:
                break
        events.close()
        assert store.record(training) is None
        assert store.failure(training) is None
        torch.manual_seed(stop)
    events = list(run_task(training, store))
    assert [event.step for event in events if isinstance(event, Resumed)] == [6]
    assert_same_bytes(training, store, whole)
    assert not (store.folder(training) / CHECKPOINT).exists()


def test_interrupted_while_it_replaces_its_files_it_is_not_done(training, store):
    finish(training, store)
    weights = store.folder(training) / WEIGHTS
    weights.unlink()
    weights.mkdir()
    fail(training, store)
    assert store.record(training) is None


@pytest.mark.parametrize(("digits", "split"), [(2000, "train"), (200, "validation")])
def test_a_split_without_samples_is_refused_before_training(training, store, digits, split):
    empty = on(with_recipe(training, schedule="one-cycle"), SeqDigits(digits=digits, rounds=1))
    failure = fail(empty, store)
    assert failure.cause == "configuration"
    assert f"have no sample in split '{split}'" in failure.message


def test_the_weights_of_the_last_epoch_are_kept_beside_the_selected_ones(training, store):
    # It leaps to blank alone, and no later epoch reads better.
    training = with_recipe(training, epochs=2, learning_rate=1.0)
    record, folder = finish(training, store), store.folder(training)
    assert record.selected.epoch == 1
    assert record.files.keys() == {WEIGHTS, LAST_WEIGHTS}
    selected, last = (load_file(folder / name) for name in (WEIGHTS, LAST_WEIGHTS))
    assert selected.keys() == last.keys()
    assert not all(torch.equal(selected[name], last[name]) for name in selected)


@pytest.mark.slow
def test_another_seed_gives_other_weights(evaluations, store):
    trainings = [evaluations[number].training for number in (0, 2)]
    assert [training.seed for training in trainings] == [0, 1]
    first, second = (finish(training, store) for training in trainings)
    assert first.files[WEIGHTS] != second.files[WEIGHTS]


@pytest.mark.parametrize("select", ["best", pytest.param("last", marks=pytest.mark.slow)])
def test_the_selected_epoch_is_the_one_the_recipe_names(training, store, select):
    training = with_recipe(training, epochs=4, learning_rate=0.003, select=select)
    record = finish(training, store)
    rates = [epoch.validation_ler for epoch in record.curve]
    assert record.selected.epoch == (rates.index(min(rates)) if select == "best" else 3) + 1


def test_the_stored_weights_have_the_label_error_rate_of_the_selected_epoch(training, store):
    training = replace(training, model=CnnBiLSTM(width=4, hidden=16))
    training = with_recipe(training, epochs=4, batch_size=8)
    record = finish(training, store)
    network = recognizer.build_network(
        training.model, training.loss, InputShape(*record.input_shape), len(record.vocabulary) + 1
    )
    network.load_state_dict(load_file(store.folder(training) / WEIGHTS))
    network.eval()
    (data,) = training.data
    pipeline = data.open(training.input, data.label_encoder(None))
    edits = labels = 0
    for batch in pipeline.batches("validation", training.recipe.batch_size):
        logits, _ = network(pipeline.finish(batch.inputs), batch.lengths)
        for path, target in zip(logits.argmax(2).tolist(), batch.targets.tolist(), strict=True):
            merged = [c for c, before in zip(path, [0, *path], strict=False) if c != before]
            edits += editdistance.distance([label for label in merged if label], target)
            labels += len(target)
    assert edits / labels == record.selected.validation_ler < 0.9
    assert record.parameters.total == sum(weight.numel() for weight in network.parameters())
    assert record.parameters.trainable == record.parameters.total


@pytest.mark.slow
def test_the_learning_rate_falls_after_each_milestone(training, store):
    changes = {"epochs": 5, "schedule": "multi-step", "milestones": (2, 4), "decay": 0.2}
    record = finish(with_recipe(training, **changes), store)
    rates = [epoch.learning_rate for epoch in record.curve]
    assert rates == pytest.approx([0.01, 0.01, 0.002, 0.002, 0.0004])


def test_a_diverging_loss_fails_the_training_and_names_its_samples(training, store):
    training = with_recipe(training, epochs=9, learning_rate=1e30, optimizer="sgd")
    failure = fail(training, store)
    assert failure.cause == "error"
    assert "on samples" in failure.message
    assert store.record(training) is None
    assert "Traceback" in (store.folder(training) / LOG).read_text()


def test_a_finished_training_leaves_no_failure_behind(training, store):
    folder = store.begin(training)
    (folder / FAILURE).write_text("{}")
    finish(training, store)
    assert store.failure(training) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_training_on_cuda_without_a_gpu_is_refused(training, store):
    failure = fail(with_resources(training, device="cuda"), store)
    assert failure.cause == "configuration"
    assert 'device = "cuda"' in failure.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_float16_without_a_gpu_is_refused(training, store):
    failure = fail(with_recipe(training, precision="fp16"), store)
    assert failure.cause == "configuration"
    assert 'set precision = "bf16"' in failure.message


def test_training_never_reads_the_test_split(training, store):
    splits = []

    def watch(pipeline):
        batches = pipeline.batches

        def watched(split, size, **more):
            splits.append(split)
            return batches(split, size, **more)

        pipeline.batches = watched

    finish(with_recipe(on(training, Altered.by(watch)), epochs=2), store)
    # The first times to see that there are samples, and to count the steps of an epoch.
    assert splits[:3] == ["train", "validation", "train"]
    assert splits[3:] == ["train"] * 2


def test_samples_with_too_few_frames_are_named_and_counted(training, store):
    assert [point.infeasible for point in finish(training, store).curve] == [0]
    bare = on(training, BARE)
    (event,) = (event for event in run_task(bare, store) if isinstance(event, Infeasible))
    pipeline = BARE.open(bare.input, BARE.label_encoder(None))
    annotations = pipeline.annotations("train", seed=bare.named_seed("batches"))
    twice = tuple(annotation.id for annotation in annotations if len(set(annotation.target)) == 1)
    assert event == Infeasible(len(twice), len(annotations), twice[:20])
    assert [point.infeasible for point in store.record(bare).curve] == [len(twice)]
    log = (store.folder(bare) / LOG).read_text()
    assert f"{len(twice)} of {len(annotations)} training samples" in log


def test_a_training_in_which_nothing_can_be_learned_is_refused(training, store):
    def shorten(pipeline):
        pipeline.annotations = lambda *_, **__: [Annotation("short", 1, (1, 2))]

    failure = fail(on(training, Altered.by(shorten)), store)
    assert failure.cause == "configuration"
    assert failure.message.startswith(
        "the target of each of the 1 training samples, such as short, is longer than the output"
    )
    assert "choose a model with a longer output" in failure.message


@pytest.mark.parametrize(
    "loss",
    [ACE(), pytest.param(CRCTC(), marks=pytest.mark.slow), PriorCTC()],
    ids=lambda loss: loss.name,
)
def test_losses_with_views_a_state_or_another_decoder_train(training, store, loss):
    record = finish(with_recipe(replace(training, loss=loss), epochs=3), store)
    assert record.curve[-1].loss < record.curve[0].loss


def test_a_sample_of_two_views_is_counted_once(training, store):
    counts = [
        [epoch.infeasible for epoch in finish(on(each, BARE), store).curve]
        for each in (training, replace(training, loss=CRCTC()))
    ]
    assert counts[0] == counts[1] != [0]


def test_a_checkpoint_that_does_not_fit_is_named(training, store):
    folder = store.begin(training)
    sources = tuple(provenance.computing_sources(training.components))
    Checkpoint(folder / CHECKPOINT, sources).save({"network": {}})
    failure = fail(training, store)
    assert failure.cause == "configuration"
    assert f"{CHECKPOINT}: this checkpoint does not fit" in failure.message


def test_a_checkpoint_of_other_values_says_remove_it(training, store):
    training = with_resources(training, checkpoint_every="1 step", log_every="1 step")
    checkpoint = left_after_two_steps(training, store)
    state = checkpoint.load()
    for changes in (
        {"done": "4"},
        {"done": 10**9},
        {"curve": "x"},
        {"curve": [{"step": 1}]},
        {"selected_step": 99},
        {"weights": {"x": torch.zeros(1)}},
        {"seconds": [1.0]},
        {"trained_on": [3]},
        {"optimizer": {"state": {}, "param_groups": []}},
        {"loss": {"batches": "1", "sums": 3}},
    ):
        checkpoint.save(state | changes)
        failure = fail(training, store)
        assert failure.cause == "configuration", changes
        assert "this checkpoint does not fit" in failure.message
        assert failure.message.endswith("remove it, and training starts again")
    checkpoint.save(state)
    assert finish(training, store).curve


def test_a_model_that_cannot_be_trained_on_the_input_is_refused(training, store):
    wide = replace(training, input=replace(training.input, crop=9), model=CnnBiLSTM())
    failure = fail(wide, store)
    assert failure.cause == "configuration"
    assert "lower the crop" in failure.message


def test_a_disk_too_full_for_the_weights_is_refused_before_the_first_step(
    training, store, monkeypatch
):
    monkeypatch.setattr(train, "_BYTES_PER_PARAMETER", 10**15)
    failure = fail(training, store)
    assert failure.cause == "configuration"
    assert "MB are free; free some disk space, or name another folder with" in failure.message
    assert not (store.folder(training) / CHECKPOINT).exists()

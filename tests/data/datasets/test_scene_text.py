"""Scene text: what a test set is trained on, and that it is trained on it once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from bench.config.suite import Recipe, Resources
from bench.core.errors import BenchError
from bench.core.types import SPLITS
from bench.data.datasets.scene_text_tests import IIIT5K, SVT
from bench.data.datasets.synth90k import Synth90k
from bench.evaluation import protocols
from bench.execution.inline import InlineExecutor
from bench.execution.run import execute
from bench.losses.ctc import CTC
from bench.models.crnn import CRNN
from bench.tasks.trial import run_trial
from bench.trials.events import Progress
from bench.trials.grid import Trial
from bench.trials.store import CHECKPOINT, LOG, WEIGHTS, Store

from ..conftest import listed

PARTS = ("train", "validation", "test")


def trial(dataset, **changes):
    found = Trial(
        dataset,
        CRNN(width=1, hidden=2),
        CTC(),
        seed=0,
        training=Recipe(epochs=1, batch_size=8, learning_rate=1e-3),
        protocol=protocols.find("str-36"),
        resources=Resources(),
    )
    return replace(found, **changes)


@pytest.fixture
def words(prepare):
    prepare(listed(24, PARTS), "synth90k")
    prepare(listed(6, ["test"]), "svt")
    prepare(listed(30, ["train", "test"]), "iiit5k")


def ids(source, split):
    return {truth.id for truth in source.annotations(split)}


def test_a_test_set_is_read_by_what_synth90k_trained(words):
    source = SVT().build()
    assert [len(ids(source, split)) for split in SPLITS] == [24, 24, 6]
    assert ids(source, "train") == ids(Synth90k().build(), "train")


def test_a_set_without_validation_holds_a_tenth_of_its_training_out(words):
    source = IIIT5K().build()
    train, validation = ids(source, "train"), ids(source, "validation")
    assert not train & validation
    assert len(train | validation) == 30
    assert 0 < len(validation) < 10


def test_several_sets_may_be_trained_on(words):
    source = IIIT5K(train=("synth90k", "iiit5k")).build()
    alone = IIIT5K().build()
    assert len(list(source.annotations("train"))) == 24 + len(ids(alone, "train"))
    assert len(list(source.annotations("validation"))) == 24 + len(ids(alone, "validation"))


def test_what_is_not_prepared_is_told_when_it_is_needed(words):
    with pytest.raises(BenchError, match=r"'ic03' is not prepared.*bench data prepare ic03"):
        SVT(train=("ic03",)).fingerprint()
    with pytest.raises(BenchError, match="have no partition 'train', only test"):
        SVT(train=("svt",)).fingerprint()
    assert SVT(train=("ic03",)).own_splits() == ("test",)


def test_transcripts_are_scored_whole_and_learned_in_the_characters_of_the_protocol(words):
    batch = SVT().build().batches("test", 6)[0]
    assert sorted(batch.texts) == [f"Word{n}" for n in range(6)]
    lengths = dict(zip(batch.texts, batch.target_lengths.tolist(), strict=True))
    assert lengths["Word3"] == 5


def test_trials_that_are_trained_alike_are_trained_once(words, tmp_path):
    store = Store(tmp_path / "results")
    teacher, pupil = trial(Synth90k()), trial(SVT())
    other = trial(SVT(width=64))
    assert teacher.training_key == pupil.training_key != other.training_key
    assert not execute([pupil, teacher, other], store, nullcontext(InlineExecutor()))
    first, second, third = (store.record(one) for one in (pupil, teacher, other))
    assert (first.weights_of, second.weights_of, third.weights_of) == ("", pupil.key, "")
    assert first.files[WEIGHTS] == second.files[WEIGHTS] != third.files[WEIGHTS]
    assert first.curve == second.curve
    assert first.metrics["validation"] == second.metrics["validation"]
    assert [one.metrics["test"].samples for one in (first, second)] == [6, 24]


def test_forced_the_first_is_trained_again_and_the_others_adopt_it(words, tmp_path):
    store = Store(tmp_path / "results")
    both = [trial(Synth90k()), trial(SVT())]
    execute(both, store, nullcontext(InlineExecutor()))
    before = (store.folder(both[0]) / WEIGHTS).stat().st_mtime_ns
    execute(both, store, nullcontext(InlineExecutor()), anew=True)
    assert (store.folder(both[0]) / WEIGHTS).stat().st_mtime_ns > before
    assert [store.record(one).weights_of for one in both] == ["", both[0].key]


def test_after_a_forced_run_the_newest_training_is_adopted(words, tmp_path):
    store = Store(tmp_path / "results")
    iiit5k, svt, synth90k = map(trial, (IIIT5K(train=("synth90k",)), SVT(), Synth90k()))
    execute([iiit5k], store, nullcontext(InlineExecutor()))
    execute([synth90k, svt], store, nullcontext(InlineExecutor()), anew=True)
    assert [store.record(one).weights_of for one in (synth90k, svt)] == ["", synth90k.key]


@dataclass(frozen=True)
class Unreadable(SVT):
    """Trained like SVT, and read by nobody."""

    name: ClassVar[str] = "unreadable"

    def fingerprint(self):
        return SVT().fingerprint()

    def build(self):
        message = "no"
        raise OSError(message)


def test_where_a_teacher_fails_one_more_is_trained(words, tmp_path):
    store = Store(tmp_path / "results")
    wanted = [trial(one) for one in (Unreadable(), SVT(), Synth90k())]
    assert len({one.training_key for one in wanted}) == 1
    [failure] = execute(wanted, store, nullcontext(InlineExecutor()))
    assert failure.key == wanted[0].key
    assert [store.record(one).weights_of for one in wanted[1:]] == ["", wanted[1].key]


def test_what_a_stopped_training_left_is_not_mixed_with_what_is_adopted(words, tmp_path):
    store = Store(tmp_path / "results")
    recipe = replace(trial(SVT()).training, epochs=3)
    saved = Resources(checkpoint_every=0.0)
    teacher, pupil = (trial(one, training=recipe, resources=saved) for one in (Synth90k(), SVT()))
    epochs = (event.epoch for event in run_trial(pupil, store) if isinstance(event, Progress))
    assert 2 in epochs  # the first epoch is saved, the second one stopped
    assert (store.folder(pupil) / CHECKPOINT).exists()
    assert not execute([teacher, pupil], store, nullcontext(InlineExecutor()))
    events = (store.folder(pupil) / LOG).read_text()
    assert "takes the weights of" in events
    assert "resumed" not in events
    assert not (store.folder(pupil) / CHECKPOINT).exists()

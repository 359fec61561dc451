from __future__ import annotations

from dataclasses import dataclass, replace

from bench.tasks.trial import run_trial

from bench.data.datasets.seq_digits import SeqDigits
from bench.evaluation import predictions
from bench.models.cslr_resnet18 import CslrResNet18
from bench.trials.events import Finished
from bench.trials.store import PREDICTIONS


@dataclass(frozen=True)
class Told(SeqDigits):
    """Digits whose transcripts say more than their classes can: every third has a letter."""

    def build(self):
        source = super().build()
        batches = source.batches

        def told(*asked, **more):
            found = []
            for batch in batches(*asked, **more):
                texts = tuple(
                    f"{label - 1}{'x' if row % 3 == 0 else ''}"
                    for row, label in enumerate(batch.targets[:, 0].tolist())
                )
                found.append(batch._replace(texts=texts))
            return found

        source.batches = told
        return source


def references(trial, store):
    *_, last = run_trial(trial, store)
    assert isinstance(last, Finished), last
    return predictions.read(store.folder(trial) / PREDICTIONS)


def test_a_network_that_makes_fewer_frames_has_no_key_frames(trials, store):
    strided = replace(trials[0], model=CslrResNet18(width=2, hidden=4))
    table = references(strided, store)
    assert not any(table["key_frames"].to_pylist())
    assert predictions.located(table) is None


def test_a_transcript_is_the_reference_where_there_is_one(trials, store):
    table = references(replace(trials[0], dataset=Told(digits=2, rounds=1)), store)
    plain = references(trials[0], store)
    size = trials[0].training.batch_size
    for row, (text, whole, excluded) in enumerate(
        zip(
            table["reference"].to_pylist(),
            plain["reference"].to_pylist(),
            table["excluded"].to_pylist(),
            strict=True,
        )
    ):
        lettered = row % size % 3 == 0
        assert text == whole[0] + "x" * lettered
        assert (excluded is not None) is lettered

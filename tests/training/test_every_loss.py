"""Every loss trains a small real trial, and where it draws, the same one again."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import pytest

from bench.core import registry
from bench.core.components import Loss
from bench.models.cnn_attention import CnnAttention
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.tasks.trial import run_trial
from bench.trials.events import Finished
from bench.trials.store import Store

MODELS = {
    "frames": CnnBiLSTM(width=2, hidden=4),
    "seq2seq": CnnAttention(width=2, hidden=4, max_length=5),
}


@pytest.mark.parametrize("name", registry.builtin("loss"))
def test_a_trial_of_it_is_finite(trials, home, name):
    loss = registry.builtin("loss")[name]()
    trial = replace(trials[0], loss=loss, model=MODELS[loss.accepts])
    found = []
    # Those that draw nothing repeat for the reasons that `ctc` does, see test_trial.py.
    draws = type(loss).augmented_views is not Loss.augmented_views or loss.accepts == "seq2seq"
    for number in range(1 + draws):
        store = Store(home / str(number))
        *_, last = run_trial(trial, store)
        assert isinstance(last, Finished), last
        record = asdict(store.record(trial))
        del record["timings"], record["provenance"]
        found.append(record)
    assert found[0] == found[-1]
    assert all(math.isfinite(epoch["loss"]) for epoch in found[0]["curve"])
    assert all(epoch["infeasible"] == 0 for epoch in found[0]["curve"])

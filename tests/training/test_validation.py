from __future__ import annotations

from itertools import groupby

import jiwer
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.core.types import Batch
from bench.training.device import configure_torch
from bench.training.validation import label_error_rate

CLASSES = 4
paths = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=7)
labels = st.lists(st.integers(1, CLASSES - 1), max_size=5)
batches = st.lists(st.lists(st.tuples(paths, labels), min_size=1, max_size=3), max_size=3)


class Reader(nn.Module):
    """A network whose best class at each step is the number in its input."""

    def forward(self, inputs, lengths):
        noise = torch.rand(*inputs.shape, CLASSES, generator=torch.Generator().manual_seed(0))
        return nn.functional.one_hot(inputs.long(), CLASSES) + 0.9 * noise, lengths


def test_it_is_computed_without_tf32_in_a_training_with_tf32():
    seen = []

    class Watched(Reader):
        def forward(self, inputs, lengths):
            seen.extend(tf32_flags())
            return super().forward(inputs, lengths)

    def tf32_flags():
        return [torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32]

    configure_torch(torch.get_num_threads(), "tf32")
    try:
        label_error_rate(Watched(), [batch_of([([1], [1])])], "ctc")
        assert seen == [False, False]
        assert tf32_flags() == [True, True]
    finally:
        configure_torch(torch.get_num_threads())


def batch_of(samples):
    width = max(len(target) for _, target in samples)
    frames = max(len(path) for path, _ in samples)
    padded = [path + [3] * (frames - len(path)) for path, _ in samples]
    targets = torch.tensor([target + [0] * (width - len(target)) for _, target in samples])
    return Batch(
        torch.tensor(padded, dtype=torch.float32),
        torch.tensor([len(path) for path, _ in samples]),
        targets.reshape(len(samples), width).long(),
        torch.tensor([len(target) for _, target in samples]),
        torch.zeros(len(samples), width).long(),
        tuple(map(str, range(len(samples)))),
    )


def decoded(path, family):
    """Return the labels of a path, by the definition of each family."""
    if family == "ctc":
        return [label for label, _ in groupby(path) if label]
    if family == "ace":
        return [label for label in path if label]
    return path[: path.index(0)] if 0 in path else path


def slow(groups, family):
    """Return the label error rate by an aligner of words, a word per label."""
    edits = total = 0
    for path, target in (sample for group in groups for sample in group):
        hypothesis = decoded(path, family)
        total += len(target)
        if not target:
            edits += len(hypothesis)
            continue
        sentences = (" ".join(map(str, each)) for each in (target, hypothesis))
        counts = jiwer.process_words(*sentences)
        edits += counts.substitutions + counts.deletions + counts.insertions
    return edits / max(total, 1)


@settings(max_examples=80)
@given(batches, st.sampled_from(["ctc", "ace"]))
def test_it_is_edits_over_target_labels(groups, family):
    network = Reader().train()
    found = label_error_rate(network, [batch_of(each) for each in groups], family)
    assert found == pytest.approx(slow(groups, family), rel=1e-12)
    assert not network.training


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(
            st.tuples(st.lists(st.integers(0, 3), min_size=5, max_size=5), labels),
            min_size=1,
            max_size=3,
        ),
        max_size=3,
    )
)
def test_a_sequence_ends_at_its_first_eos(groups):
    found = label_error_rate(Reader(), [batch_of(each) for each in groups], "seq2seq")
    assert found == pytest.approx(slow(groups, "seq2seq"), rel=1e-12)


def test_batches_are_weighted_by_their_labels():
    groups = [[([1], [1]), ([2, 3, 2, 3], [2, 3, 2, 3])], [([1], [2])]]
    for several in (groups, [[*groups[0], *groups[1]]]):
        found = label_error_rate(Reader(), [batch_of(each) for each in several], "ctc")
        assert found == 1 / 6

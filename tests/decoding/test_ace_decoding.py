from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decoding.ace_decoding import unmerged
from bench.decoding.greedy import greedy


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    blank=st.sampled_from([-5.0, 0.0, 1.0, 20.0]),
    seed=st.integers(0, 2**32),
)
def test_every_frame_that_is_not_blank_is_a_label(lengths, blank, seed):
    logits = torch.randn(len(lengths), 7, 3, generator=torch.Generator().manual_seed(seed))
    logits[..., 0] += blank
    decoded = unmerged(logits, torch.tensor(lengths))
    for n, length in enumerate(lengths):
        best = [row.index(max(row)) for row in logits[n, :length].tolist()]
        assert decoded.labels[n].tolist() == [label for label in best if label != 0]
        assert decoded.path[n].tolist() == best + [0] * (7 - length)


def test_repeats_stay_and_the_rest_is_as_in_greedy():
    logits = torch.nn.functional.one_hot(torch.tensor([[1, 1, 0, 2, 2, 1]])).float()
    lengths = torch.tensor([5])
    found, merged = unmerged(logits, lengths), greedy(logits, lengths)
    assert found.labels[0].tolist() == [1, 1, 2, 2]
    assert merged.labels[0].tolist() == [1, 2]
    np.testing.assert_array_equal(found.path, merged.path)
    np.testing.assert_array_equal(found.confidence, merged.confidence)

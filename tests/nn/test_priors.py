from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.nn.priors import PriorHead

CLASSES = 4


def posteriors(seed, samples, frames, spread):
    generator = torch.Generator().manual_seed(seed)
    return (spread * torch.randn(samples, frames, CLASSES, generator=generator)).log_softmax(-1)


@settings(max_examples=40)
@given(
    epochs=st.lists(
        st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 2**32),
    spread=st.sampled_from([1.0, 50.0]),
)
def test_the_prior_is_the_mean_over_the_valid_frames_of_the_last_epoch(epochs, seed, spread):
    head = PriorHead(3, CLASSES)
    for lengths_of_batches in epochs:
        shown = []
        for step, lengths in enumerate(lengths_of_batches):
            log_probs = posteriors(seed + step, len(lengths), max(lengths) + 1, spread)
            head.observe(log_probs, torch.tensor(lengths))
            for rows, length in zip(log_probs, lengths, strict=True):
                shown += rows[:length].double().exp().tolist()
        head.end_epoch()
    expected = np.log(np.maximum(np.mean(shown, 0), np.exp(-12)))
    np.testing.assert_allclose(head.log_prior, expected, rtol=1e-5, atol=1e-6)


def test_a_state_saved_within_an_epoch_ends_it_in_the_same_prior():
    first, second = PriorHead(3, CLASSES), PriorHead(3, CLASSES)
    first.observe(posteriors(0, 2, 5, 1.0), torch.tensor([5, 3]))
    second.load_state_dict(first.state_dict())
    for head in (first, second):
        head.observe(posteriors(1, 2, 5, 1.0), torch.tensor([4, 5]))
        head.end_epoch()
    assert first.log_prior.any()
    assert torch.equal(first.log_prior, second.log_prior)
    assert sum(weight.numel() for weight in first.parameters()) == CLASSES * (3 + 1)


def test_an_epoch_without_frames_keeps_the_prior():
    head = PriorHead(3, CLASSES)
    head.end_epoch()
    assert not head.log_prior.any()
    head.observe(posteriors(0, 2, 5, 1.0), torch.tensor([5, 3]))
    head.end_epoch()
    before = head.log_prior.clone()
    head.end_epoch()
    assert torch.equal(head.log_prior, before)


def test_the_mode_of_the_network_moves_no_prior():
    """Validation within an epoch turns training off and on again."""
    head, whole = PriorHead(3, CLASSES), PriorHead(3, CLASSES)
    for step in range(3):
        for each in (head, whole):
            each.observe(posteriors(step, 2, 5, 1.0), torch.tensor([5, 4]))
        head.eval()
        assert not head.log_prior.any()
        head.train()
    for each in (head, whole):
        each.end_epoch()
    assert head.log_prior.any()
    assert torch.equal(head.log_prior, whole.log_prior)

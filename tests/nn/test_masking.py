from __future__ import annotations

from math import floor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.types import Batch
from bench.nn.masking import masked_positions, masked_views

CLIP, IMAGE = (2, 10, 1, 3, 4), (2, 1, 3, 10)


def batch_of(shape):
    return Batch(
        torch.ones(shape),
        torch.tensor([10, 6]),
        torch.tensor([[1, 2], [3, 0]]),
        torch.tensor([2, 1]),
        torch.full((2, 2), -1),
        ("a", "b"),
    )


def draw(samples, masks):
    return torch.randint(2**31, (2, samples, masks))


@settings(max_examples=80)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    masks=st.integers(0, 6),
    share=st.sampled_from([0.0, 0.29, 0.375, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_stretches_are_as_many_and_as_wide_as_said(lengths, masks, share, seed):
    torch.manual_seed(seed)
    hidden = masked_positions(
        torch.tensor(lengths), max(lengths) + 2, draw(len(lengths), masks), share
    )
    assert hidden.shape == (len(lengths), max(lengths) + 2)
    for row, length in zip(hidden.tolist(), lengths, strict=True):
        assert not any(row[length:])
        assert sum(row) <= floor(length * share + 1e-9)
        starts = [now and not before for now, before in zip(row, [False, *row], strict=False)]
        assert sum(starts) <= masks


def test_every_frame_may_be_hidden_and_every_width_comes():
    torch.manual_seed(0)
    hidden = masked_positions(torch.full((2000,), 8), 8, draw(2000, 1), 0.5)
    assert hidden.any(0).all()
    assert set(hidden.sum(1).tolist()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("shape", [CLIP, IMAGE], ids=["clip", "image"])
def test_views_are_the_batch_but_for_what_is_hidden(shape):
    torch.manual_seed(0)
    batch = batch_of(shape)
    shown = masked_views(batch, 2, 2, 0.5)
    assert batch.inputs.all()
    assert shown.ids == ("a", "b", "a", "b")
    for whole, doubled in zip(batch[1:5], shown[1:5], strict=True):
        assert torch.equal(doubled, torch.cat([whole, whole]))
    torch.manual_seed(0)
    hidden = masked_positions(torch.tensor([10, 6, 10, 6]), 10, draw(4, 2), 0.5)
    time = 1 if shape == CLIP else 3
    for row, mask in zip(shown.inputs, hidden, strict=True):
        kept = row.movedim(time - 1, 0).flatten(1)
        assert torch.equal(kept, (~mask).float().unsqueeze(1).expand_as(kept))
    first, second = shown.inputs.chunk(2)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("masks", "share"), [(0, 0.5), (3, 0.0)])
def test_without_masks_views_are_copies(masks, share):
    batch = batch_of(CLIP)
    assert torch.equal(
        masked_views(batch, 2, masks, share).inputs, batch.inputs.repeat(2, 1, 1, 1, 1)
    )

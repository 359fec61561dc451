from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.lenetpp import LeNetPP
from bench.nn.fixed_width import common_width, pad_to_width


def test_all_behind_a_length_is_zero_up_to_the_width():
    images = torch.full((2, 1, 2, 5), 7.0)
    images[1, :, :, 3:] = torch.nan
    found = pad_to_width(images, torch.tensor([5, 3]), 6)
    assert found.shape == (2, 1, 2, 6)
    assert found[0, 0, 0].tolist() == [7, 7, 7, 7, 7, 0]
    assert found[1, 0, 1].tolist() == [7, 7, 7, 0, 0, 0]


def test_what_is_wider_stays_as_wide():
    assert pad_to_width(torch.ones(1, 1, 1, 5), torch.tensor([2]), 3).tolist() == [
        [[[1, 1, 0, 0, 0]]]
    ]


def test_images_of_many_widths_are_refused():
    assert common_width("some-model", InputShape(1, 32, 100)) == 100
    with pytest.raises(BenchError, match=r"model 'some-model' .* requires images of one width"):
        common_width("some-model", InputShape(1, 32, 0))


@pytest.mark.parametrize(("model", "side"), [(LeNetPP(), 8), (CnnBiLSTM(), 4)])
def test_frames_that_halving_leaves_nothing_of_are_refused(model, side):
    model.build(InputShape(1, side, side))
    with pytest.raises(BenchError, match=rf"no pixel left after halving .* to at least {side}"):
        model.build(InputShape(1, side, side - 1))

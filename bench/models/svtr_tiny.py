"""SVTR-T: a transformer over patches, without any sequence module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import FrameModel
from bench.core.model_input import ImageInput, Input
from bench.core.schema import BelowOne, PositiveInt
from bench.core.types import InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn

_HEAD = 32


@dataclass(frozen=True)
class SvtrTiny(FrameModel):
    """Transformer blocks over patches of 4×4 pixels, first in a window, then over the whole image.

    The smallest SVTR, without the rectification of images before it. Heads have 32 features, and a
    frame has three times as many features as the first stage.

    Args:
        heads: The heads of the first stage; the next two have two and four times as many.
        dropout: The probability of dropout of the frames.
        drop_path: The probability to skip the last block in training; it grows linearly from the
            first block on.

    Source:
        Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (IJCAI 2022).
    """

    name: ClassVar[str] = "svtr-tiny"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(color=True)

    heads: PositiveInt = 2
    dropout: BelowOne = 0.1
    drop_path: BelowOne = 0.1

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for images of `shape`, with one frame per four columns."""
        from bench.nn.fixed_width import common_width
        from bench.nn.svtr import SVTR, Architecture

        common_width(self.name, shape)
        heads = (self.heads, 2 * self.heads, 4 * self.heads)
        features = tuple(_HEAD * count for count in heads)
        tiny = Architecture(features, (3, 6, 3), heads, local=6, output=3 * features[0])
        return SVTR(shape, tiny, self.dropout, self.drop_path)

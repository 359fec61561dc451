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

    Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (IJCAI 2022), its smallest
    size, without the rectification of images before it. The three stages have `heads`, two and four
    times as many heads of 32 features, a frame three times as many features as the first stage.
    """

    name: ClassVar[str] = "svtr-tiny"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(color=True)

    heads: PositiveInt = 2
    dropout: BelowOne = 0.1
    drop_path: BelowOne = 0.1

    def build(self, shape: InputShape) -> nn.Module:
        """Return the network for images of `shape`; it emits a frame every four columns."""
        from bench.nn.fixed_width import one_width
        from bench.nn.svtr import SVTR, Architecture

        one_width(self.name, shape)
        heads = (self.heads, 2 * self.heads, 4 * self.heads)
        features = tuple(_HEAD * count for count in heads)
        tiny = Architecture(features, (3, 6, 3), heads, local=6, output=3 * features[0])
        return SVTR(shape, tiny, self.dropout, self.drop_path)

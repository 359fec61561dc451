"""ViTSTR-Tiny: a vision transformer whose first output tokens are the symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.core.components import Seq2SeqModel
from bench.core.errors import BenchError
from bench.core.model_input import ImageInput, Input
from bench.core.schema import PositiveInt
from bench.core.types import InputKind, InputShape

if TYPE_CHECKING:
    from torch import nn

_HEAD = 64


@dataclass(frozen=True)
class VitstrTiny(Seq2SeqModel):
    """The encoder of DeiT-tiny over patches of the image: all symbols of a word in parallel.

    It predicts `max_length` symbols and EOS.

    Args:
        depth: The number of blocks.
        heads: The attention heads of each block, of 64 features.
        patch_height: The rows of a patch. Patches of 4×8 on images of 32×128 are PARSeq's setting
            (Bautista and Atienza, ECCV 2022); the paper has 16×16 on 224×224.
        patch_width: The columns of a patch.
        max_length: The largest number of symbols.

    Source:
        Atienza, "Vision Transformer for Fast and Efficient Scene Text Recognition" (ICDAR 2021).
    """

    name: ClassVar[str] = "vitstr-tiny"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(width=128, color=True)

    depth: PositiveInt = 12
    heads: PositiveInt = 3
    patch_height: PositiveInt = 4
    patch_width: PositiveInt = 8
    max_length: PositiveInt = 25

    def build(self, shape: InputShape, classes: int) -> nn.Module:  # noqa: ARG002 (no feedback)
        """Return the network for images of `shape`.

        Raises:
            BenchError: The width varies, patches do not fit, or there are fewer than symbols.
        """
        from torch import nn

        from bench.nn.vitstr import ViTSTR

        patch = (self.patch_height, self.patch_width)
        return ViTSTR(
            nn.Conv2d(shape.channels, _HEAD * self.heads, patch, patch),
            self._patches(shape),
            depth=self.depth,
            heads=self.heads,
            steps=self.max_length + 1,
        )

    def _patches(self, shape: InputShape) -> tuple[int, int]:
        """Return the rows and columns of patches. Raises BenchError if these are unusable."""
        from bench.nn.fixed_width import common_width

        height, width = self.patch_height, self.patch_width
        rows, columns = shape.height // height, -(-common_width(self.name, shape) // width)
        if shape.height % height:
            raise BenchError(
                f"model 'vitstr-tiny': patches of {height} rows do not divide images "
                f"{shape.height} pixels high; set a patch_height that does"
            )
        if rows * columns <= self.max_length:
            raise BenchError(
                f"model 'vitstr-tiny': an image of {shape.height}×{shape.width} pixels has "
                f"{rows * columns} patches of {height}×{width}, too few for {self.max_length} "
                "symbols and EOS; set smaller patches or a smaller max_length"
            )
        return rows, columns

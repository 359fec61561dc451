"""ViTSTR-Tiny: a vision transformer alone, whose first patches say the symbols."""

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
    """The encoder of DeiT-tiny over patches of the image: all symbols of a word at once.

    Atienza, "Vision Transformer for Fast and Efficient Scene Text Recognition" (ICDAR 2021), with
    patches of 16×16 pixels on images of 224×224. Those of 4×8 are how Bautista and Atienza (PARSeq,
    ECCV 2022) train it on words of 32×128. It has `depth` blocks of `heads` heads of 64 features,
    and emits `max_length` symbols and their end.
    """

    name: ClassVar[str] = "vitstr-tiny"
    accepts: ClassVar[InputKind] = "image"
    default_input: ClassVar[Input] = ImageInput(width=128, color=True)

    depth: PositiveInt = 12
    heads: PositiveInt = 3
    patch_height: PositiveInt = 4
    patch_width: PositiveInt = 8
    max_length: PositiveInt = 25

    def build(self, shape: InputShape, classes: int) -> nn.Module:  # noqa: ARG002 (nothing is read back)
        """Return the network for images of `shape`, at least a patch a symbol."""
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
        """Return the rows and columns of patches. Raises BenchError where they do not do."""
        from bench.nn.fixed_width import one_width

        height, width = self.patch_height, self.patch_width
        rows, columns = shape.height // height, -(-one_width(self.name, shape) // width)
        if shape.height % height:
            raise BenchError(
                f"model 'vitstr-tiny': no whole patches of {height} rows fit into images "
                f"{shape.height} pixels high; take a patch_height that divides that"
            )
        if rows * columns <= self.max_length:
            raise BenchError(
                f"model 'vitstr-tiny': an image of {shape.height}×{shape.width} pixels has "
                f"{rows * columns} patches of {height}×{width}, too few for {self.max_length} "
                "symbols and their end; take smaller patches or a smaller max_length"
            )
        return rows, columns

"""Mappings of ViTSTR, whose names are those of timm and of the weights of DeiT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.recognizers.networks.mappings.mapping import PRINTABLE, WeightMapping

if TYPE_CHECKING:
    from torch import Tensor

_DEPTH = 12
_BLOCK = {
    "norm1": "attention_norm",
    "attn.qkv": "attention.read",
    "attn.proj": "attention.output",
    "norm2": "perceptron_norm",
    "mlp.fc1": "perceptron.0",
    "mlp.fc2": "perceptron.2",
}


def timm_layers(depth: int) -> dict[str, str]:
    """Return the names here of the layers of a timm vision transformer with `depth` blocks."""
    blocks = [f"blocks.{number}" for number in range(depth - 1)] + ["last"]
    return {
        "cls_token": "model.token",
        "pos_embed": "model.positions",
        "patch_embed.proj": "model.embedding",
        "norm": "model.norm",
        "head": "head",
    } | {
        f"blocks.{number}.{there}": f"model.{block}.{here}"
        for number, block in enumerate(blocks)
        for there, here in _BLOCK.items()
    }


def _without_start(name: str, weight: Tensor) -> Tensor:
    """Return a weight; the classifier loses its first class, the start, so that EOS is class 0."""
    return weight[1:] if name.startswith("head.") else weight


MAPPINGS = (
    WeightMapping(
        name="parseq-vitstr",
        source="github.com/baudm/parseq, vitstr (ViTSTR-S)",
        layers=timm_layers(_DEPTH),
        model={"name": "vitstr-tiny", "heads": 6},
        loss="ce",
        input="parseq",
        alphabet=tuple(PRINTABLE),
        prefixes=("model.",),
    ),
    WeightMapping(
        name="roatienza-vitstr",
        source="github.com/roatienza/deep-text-recognition-benchmark, ViTSTR-Tiny; for ViTSTR-S "
        "and -B set heads = 6 and 12",
        layers=timm_layers(_DEPTH),
        model={"name": "vitstr-tiny", "patch_height": 16, "patch_width": 16},
        loss="ce",
        input="vitstr",
        alphabet=tuple(PRINTABLE),
        prefixes=("module.", "vitstr."),
        convert=_without_start,
    ),
)
